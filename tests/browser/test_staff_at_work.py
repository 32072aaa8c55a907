"""Each staff role logs in with two factors and does its work, and the audit log records every step."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NEW_ROLE_USERS, PASSWORD, SCREENSHOTS, first_login
from tests.browser.test_charts import call
from tests.staff import totp_code

MODERATOR, EDITOR, ADMINISTRATOR = NEW_ROLE_USERS.values()


@pytest.fixture(scope="module")
def work(site: str) -> dict:
    """A reported review, and two duplicate books."""
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


def two_factor_login(page: Page, username: str) -> None:
    """Set up two-factor authentication, drop the session, and log in with password and code."""
    secret = first_login(page, username)
    page.context.clear_cookies()
    page.goto("/admin/")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", PASSWORD)
    # The first code was used for the setup.
    page.fill("input[name=code]", totp_code(secret, steps=1))
    page.click("[type=submit]")
    page.wait_for_url("**/admin/")
    expect(page.locator("#content")).to_be_visible()


def log_out(page: Page) -> None:
    page.context.clear_cookies()


def moderate(page: Page, site: str, work: dict) -> None:
    """Decide a case from the queue and undo the decision."""
    page.goto("/admin/moderation/case/")
    page.locator("#result_list tbody tr", has_text=f"Review {work['review']}").locator("a").first.click()
    expect(page.locator("[data-report]")).to_contain_text("Watches again.")
    page.check("#decide input[value=hide]")
    page.select_option("#decide select[name=reason]", "spam")
    page.fill("#decide textarea[name=comment]", "No trade here.")
    page.click("#decide [name=_stay]")
    expect(page.locator("#page")).to_contain_text("hidden. dora was notified.")
    review = f"reviews/{work['review']}/"
    assert call(site, "GET", review, None, work["author"])["moderation"]["status"] == "hidden"
    page.select_option("#undo select", "mistake")
    page.fill("#undo textarea", "A joke.")
    page.click("#undo button")
    expect(page.locator("#page")).to_contain_text("decision undone.")
    assert call(site, "GET", review)["moderation"] is None


def merge_and_undo(page: Page, site: str, work: dict) -> None:
    """Merge two books and undo the merge."""
    target, source = work["books"]
    page.goto(f"/admin/catalog/book/merge/?book={target}&book={source}")
    page.check(f"input[name=target][value='{target}']")
    page.fill("[name=reason]", "The same mill.")
    page.get_by_role("button", name="Merge").click()
    expect(page.locator("#merged")).to_contain_text("merged")
    assert call(site, "GET", f"books/{target}/")["ratings_count"] == 2
    page.fill("[name=reason]", "Two mills.")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#merged")).to_contain_text("undone")
    assert call(site, "GET", f"books/{source}/")["ratings_count"] == 1


def audit_entries(page: Page, username: str) -> list[tuple[str, str, str]]:
    """Return the audit entries of a user, oldest first: verb, actor and reason."""
    page.goto("/admin/core/auditentry/")
    page.fill("#searchbar", username)
    page.press("#searchbar", "Enter")
    page.wait_for_url("**q=*")
    page.screenshot(path=SCREENSHOTS / f"log of {username}.png", full_page=True)
    rows = page.locator("#result_list tbody tr").all()
    cells = ("verb", "actor_link", "reason")
    shown = [tuple(row.locator(f".field-{cell}").first.inner_text().strip() for cell in cells) for row in rows]
    return shown[::-1]


def test_work_of_each_role_is_in_the_audit_log(site: str, work: dict, page: Page):
    two_factor_login(page, MODERATOR)
    moderate(page, site, work)
    log_out(page)
    two_factor_login(page, EDITOR)
    merge_and_undo(page, site, work)
    log_out(page)
    two_factor_login(page, ADMINISTRATOR)
    login_verbs = ["factor.enrolled", "staff.signed_in", "staff.signed_in"]
    steps = {
        MODERATOR: [("moderation.hidden", "spam: No trade here."), ("moderation.undone", "mistake: A joke.")],
        EDITOR: [("book.merged", "The same mill."), ("book.unmerged", "Two mills.")],
        ADMINISTRATOR: [],
    }
    for username, done in steps.items():
        entries = audit_entries(page, username)
        assert [verb for verb, _actor, _reason in entries] == login_verbs + [verb for verb, _reason in done]
        assert [actor for _verb, actor, _reason in entries] == [username] * len(entries)
        assert [reason for _verb, _actor, reason in entries[3:]] == [reason for _verb, reason in done]
