"""API documentation, browsable API and admin pages. Each test saves a screenshot in var/screenshots/."""

from playwright.sync_api import Page, expect


def test_swagger_ui_lists_the_operations(page: Page):
    page.goto("/api/docs/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("BookBridge")
    page.get_by_placeholder("Filter by tag").fill("Books")
    page.locator("#operations-tag-Books").click()
    expect(page.locator("[data-path='/api/v1/books/']").first).to_be_visible()
    page.locator("#operations-Books-listBooks button").first.click()
    page.get_by_role("button", name="Try it out").first.click()
    page.get_by_role("button", name="Execute").first.click()
    expect(page.locator(".live-responses-table tr.response .response-col_status").first).to_contain_text("200")


def test_browsable_api_shows_books(page: Page):
    page.goto("/api/v1/books/?search=garcia")
    expect(page.locator(".response-info")).to_contain_text("One Hundred Years of Solitude")


def test_browsable_api_root_has_links(page: Page):
    page.goto("/api/v1/")
    page.get_by_role("link", name="/api/v1/books/").click()
    expect(page.locator(".response-info")).to_contain_text("ratings_count")


def test_admin_searches_books(admin: Page):
    admin.goto("/admin/catalog/book/?q=garcia+solitude")
    expect(admin.locator("#result_list")).to_contain_text("One Hundred Years of Solitude")
    admin.get_by_role("link", name="One Hundred Years of Solitude").first.click()
    expect(admin.locator("input[name=title]")).to_have_value("One Hundred Years of Solitude")


def test_admin_shows_users_and_sessions(admin: Page):
    admin.goto("/admin/accounts/authsession/")
    expect(admin.get_by_role("heading", level=1)).to_contain_text("Sign-ins")
    admin.goto("/admin/accounts/user/?q=mode")
    expect(admin.locator("#result_list")).to_contain_text("moderata")
    admin.get_by_role("link", name="moderata").first.click()
    expect(admin.locator("input[name=username]")).to_have_value("moderata")
