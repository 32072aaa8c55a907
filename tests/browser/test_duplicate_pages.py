"""Two books are found to be one, merged and parted again, and a change is taken back; screenshots are left behind."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SCREENSHOTS
from tests.browser.test_charts import call


@pytest.fixture(scope="module")
def twice(site: str) -> dict:
    """A work that two readers have added, one of them with a review; the other has been spoiled."""
    tokens, books = {}, {}
    for name, title, author in (
        ("hilda", "The Lantern Keeper", "Ada B. Quill"),
        ("bruno", "Lantern Keeper (Harbour, #1)", "Quill, Ada B."),
    ):
        body = {"username": name, "password": "a-long-enough-secret", "display_name": name.title()}
        tokens[name] = call(site, "POST", "auth/register/", body)["access"]
        body = {"title": title, "author": author, "description": "A keeper minds a light, and the light minds her."}
        books[name] = call(site, "POST", "books/", body, tokens[name])["id"]
        call(site, "POST", "reviews/", {"book": books[name], "rating": 4}, tokens[name])
    spoiled = {"description": "A keeper <b>sells</b> a light, and the light minds her."}
    call(site, "PATCH", f"books/{books['hilda']}/", spoiled, tokens["hilda"])
    return books


def shot(page: Page, name: str) -> None:
    page.screenshot(path=SCREENSHOTS / f"care_{name}.png", full_page=True)


def test_two_books_are_merged_and_parted_and_a_change_is_taken_back(site: str, twice: dict, admin: Page):
    admin.goto("/admin/catalog/book/")
    admin.get_by_role("link", name="Likely duplicates").click()
    group = admin.locator("[data-group]", has_text="Lantern Keeper")
    expect(group).to_contain_text("Quill, Ada B.")
    shot(admin, "duplicates")
    group.get_by_role("link", name="Compare with the first").click()
    expect(admin.locator("#merge")).to_contain_text("Lantern Keeper (Harbour, #1)")
    shot(admin, "compare")
    admin.locator(f"input[name=kept][value='{twice['hilda']}']").check()
    admin.fill("[name=reason]", "The series in brackets is no part of the title.")
    admin.get_by_role("button", name="Merge").click()
    expect(admin.locator("#merged")).to_contain_text("merged")
    shot(admin, "merged")
    assert call(site, "GET", f"books/{twice['hilda']}/")["ratings_count"] == 2
    admin.fill("[name=reason]", "They are two works after all.")
    admin.get_by_role("button", name="Undo").click()
    expect(admin.locator("#merged")).to_contain_text("undone")
    shot(admin, "undone")
    assert call(site, "GET", f"books/{twice['bruno']}/")["ratings_count"] == 1

    admin.goto(f"/admin/catalog/revision/?book__id__exact={twice['hilda']}")
    shot(admin, "revisions")
    admin.locator("#result_list tbody a").first.click()
    expect(admin.locator("#revision del")).to_have_text("minds ")
    expect(admin.locator("#revision ins")).to_have_text("<b>sells</b> ")
    shot(admin, "revision")
    admin.fill("[name=reason]", "She minds it.")
    admin.get_by_role("button", name="Undo").click()
    expect(admin.locator("#revision ins")).to_have_text("minds ")
    assert "minds a light" in call(site, "GET", f"books/{twice['hilda']}/")["description"]
