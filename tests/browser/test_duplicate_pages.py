"""Duplicate books are merged and the merge undone, and a revision is reverted. Takes screenshots."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SCREENSHOTS
from tests.browser.test_charts import call


@pytest.fixture(scope="module")
def duplicates(site: str) -> dict:
    """Two books of one work, added and reviewed by two users; one has a vandalized description."""
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
    vandalized = {"description": "A keeper <b>sells</b> a light, and the light minds her."}
    call(site, "PATCH", f"books/{books['hilda']}/", vandalized, tokens["hilda"])
    return books


def shot(page: Page, name: str) -> None:
    page.screenshot(path=SCREENSHOTS / f"duplicates_{name}.png", full_page=True)


def test_merge_undo_and_revert(site: str, duplicates: dict, admin: Page):
    admin.goto("/admin/catalog/book/")
    admin.get_by_role("link", name="Likely duplicates").click()
    group = admin.locator("[data-group]", has_text="Lantern Keeper")
    expect(group).to_contain_text("Quill, Ada B.")
    shot(admin, "duplicates")
    group.get_by_role("link", name="Compare with the first").click()
    expect(admin.locator("#merge")).to_contain_text("Lantern Keeper (Harbour, #1)")
    shot(admin, "compare")
    admin.locator(f"input[name=target][value='{duplicates['hilda']}']").check()
    admin.fill("[name=reason]", "The series in brackets is no part of the title.")
    admin.get_by_role("button", name="Merge").click()
    expect(admin.locator("#merged")).to_contain_text("merged")
    shot(admin, "merged")
    assert call(site, "GET", f"books/{duplicates['hilda']}/")["ratings_count"] == 2
    admin.fill("[name=reason]", "They are two works after all.")
    admin.get_by_role("button", name="Undo").click()
    expect(admin.locator("#merged")).to_contain_text("undone")
    shot(admin, "undone")
    assert call(site, "GET", f"books/{duplicates['bruno']}/")["ratings_count"] == 1

    admin.goto(f"/admin/catalog/revision/?book__id__exact={duplicates['hilda']}")
    shot(admin, "revisions")
    admin.locator("#result_list tbody a").first.click()
    expect(admin.locator("#revision del")).to_have_text("minds ")
    expect(admin.locator("#revision ins")).to_have_text("<b>sells</b> ")
    shot(admin, "revision")
    admin.fill("[name=reason]", "She minds it.")
    admin.get_by_role("button", name="Undo").click()
    expect(admin.locator("#revision ins")).to_have_text("minds ")
    assert "minds a light" in call(site, "GET", f"books/{duplicates['hilda']}/")["description"]
