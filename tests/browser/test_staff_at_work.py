"""A day of the staff: each role signs in with its second factor and does its work, and the audit log has every step."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ON_DUTY, PASSWORD, SCREENSHOTS, come_in
from tests.browser.test_charts import call
from tests.staff import code_of

MODERATOR, EDITOR, ADMINISTRATOR = ON_DUTY.values()


@pytest.fixture(scope="module")
def work(site: str) -> dict:
    """A review that somebody has reported, and two books that are one."""
    tokens = {}
    for name in ("dora", "egon"):
        body = {"username": name, "password": PASSWORD}
        tokens[name] = call(site, "POST", "auth/register/", body)["access"]
    books = []
    for name, title in (("dora", "The Tide Mill"), ("egon", "Tide Mill (Estuary, #2)")):
        body = {"title": title, "author": "Nell F. Marsh"}
        books.append(call(site, "POST", "books/", body, tokens[name])["id"])
    body = {"book": books[0], "rating": 1, "body": "Buy my watches."}
    review = call(site, "POST", "reviews/", body, tokens["dora"])["id"]
    call(site, "POST", "reviews/", {"book": books[1], "rating": 4}, tokens["egon"])
    about = {"target_type": "review", "target_id": review, "reason": "spam", "note": "Watches again."}
    call(site, "POST", "reports/", about, tokens["egon"])
    return {"review": review, "books": books, "author": tokens["dora"]}


def sign_in_with_the_app(page: Page, username: str) -> None:
    """Set up an app, forget the browser's session, and come in by password and code."""
    secret = come_in(page, username)
    page.context.clear_cookies()
    page.goto("/admin/")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", PASSWORD)
    # The app's first code has served already.
    page.fill("input[name=code]", code_of(secret, steps=1))
    page.click("[type=submit]")
    page.wait_for_url("**/admin/")
    expect(page.locator("#content")).to_be_visible()


def leave(page: Page) -> None:
    page.context.clear_cookies()


def moderate(page: Page, site: str, work: dict) -> None:
    """From the queue to a decision, and back."""
    page.goto("/admin/moderation/case/")
    page.locator("#result_list tbody tr", has_text=f"Review {work['review']}").locator("a").first.click()
    expect(page.locator("[data-report]")).to_contain_text("Watches again.")
    page.check("#decide input[value=hide]")
    page.select_option("#decide select[name=ground]", "spam")
    page.fill("#decide textarea[name=words]", "No trade here.")
    page.click("#decide button")
    expect(page.locator("#page")).to_contain_text("Saved.")
    review = f"reviews/{work['review']}/"
    assert call(site, "GET", review, None, work["author"])["moderation"]["status"] == "hidden"
    page.select_option("#undo select", "mistake")
    page.fill("#undo textarea", "A joke.")
    page.click("#undo button")
    expect(page.locator("#page")).to_contain_text("Saved.")
    assert call(site, "GET", review)["moderation"] is None


def care(page: Page, site: str, work: dict) -> None:
    """Two books made one, and two again."""
    kept, gone = work["books"]
    page.goto(f"/admin/catalog/book/merge/?book={kept}&book={gone}")
    page.check(f"input[name=kept][value='{kept}']")
    page.fill("[name=reason]", "The same mill.")
    page.get_by_role("button", name="Merge").click()
    expect(page.locator("#merged")).to_contain_text("merged")
    assert call(site, "GET", f"books/{kept}/")["ratings_count"] == 2
    page.fill("[name=reason]", "Two mills.")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#merged")).to_contain_text("undone")
    assert call(site, "GET", f"books/{gone}/")["ratings_count"] == 1


def logged(page: Page, username: str) -> list[tuple[str, str, str]]:
    """What the log says of somebody, the oldest first: verb, who and why."""
    page.goto("/admin/api/auditentry/")
    page.fill("#searchbar", username)
    page.press("#searchbar", "Enter")
    page.wait_for_url("**q=*")
    page.screenshot(path=SCREENSHOTS / f"log of {username}.png", full_page=True)
    rows = page.locator("#result_list tbody tr").all()
    cells = ("verb", "who", "reason")
    shown = [tuple(row.locator(f".field-{cell}").first.inner_text().strip() for cell in cells) for row in rows]
    return shown[::-1]


def test_each_role_does_its_work_and_the_log_has_every_step(site: str, work: dict, page: Page):
    sign_in_with_the_app(page, MODERATOR)
    moderate(page, site, work)
    leave(page)
    sign_in_with_the_app(page, EDITOR)
    care(page, site, work)
    leave(page)
    sign_in_with_the_app(page, ADMINISTRATOR)
    came_in = ["factor.enrolled", "staff.signed_in", "staff.signed_in"]
    steps = {
        MODERATOR: [("moderation.hidden", "spam: No trade here."), ("moderation.undone", "mistake: A joke.")],
        EDITOR: [("book.merged", "The same mill."), ("book.unmerged", "Two mills.")],
        ADMINISTRATOR: [],
    }
    for username, done in steps.items():
        entries = logged(page, username)
        assert [verb for verb, _who, _why in entries] == came_in + [verb for verb, _why in done]
        assert [who for _verb, who, _why in entries] == [username] * len(entries)
        assert [why for _verb, _who, why in entries[3:]] == [why for _verb, why in done]
