"""A case from the queue to the decision and its undo. Each step saves a screenshot in var/screenshots/."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SCREENSHOTS
from tests.browser.test_charts import call

QUEUE = "/admin/moderation/case/"
TITLE = "A marvel"
BODY = "I read it twice in one night.\n\nThe second time it was even better, and I cried at the end."


@pytest.fixture(scope="module")
def reported(site: str) -> dict:
    """A review hidden after three reports, with an appeal of its author."""
    tokens = {}
    for name in ("rosa", "ivo", "uma", "otto"):
        body = {"username": name, "password": "a-long-enough-secret", "display_name": name.title()}
        tokens[name] = call(site, "POST", "auth/register/", body)["access"]
    book = call(site, "GET", "books/?page_size=1")["results"][0]
    body = {"book": book["id"], "rating": 4.5, "title": TITLE, "body": BODY}
    review = call(site, "POST", "reviews/", body, tokens["rosa"])["id"]
    notes = {"ivo": "It gives away who did it.", "uma": "", "otto": "She posts this everywhere.\nLook at her profile."}
    for name, reason in (("ivo", "spoiler"), ("uma", "abuse"), ("otto", "spam")):
        about = {"target_type": "review", "target_id": review, "reason": reason, "note": notes[name]}
        call(site, "POST", "reports/", about, tokens[name])
    about = {"target_type": "book", "target_id": book["id"], "reason": "other", "note": "Wrong cover"}
    call(site, "POST", "reports/", about, tokens["uma"])
    me = call(site, "GET", "users/me/", None, tokens["rosa"])["id"]
    about = {"target_type": "user", "target_id": me, "reason": "spam", "note": "The same again"}
    call(site, "POST", "reports/", about, tokens["otto"])
    appeal = {"target_type": "review", "target_id": review, "text": "There is no spoiler in it, and it is my own."}
    call(site, "POST", "moderation/appeals/", appeal, tokens["rosa"])
    return {"review": review, "token": tokens["rosa"]}


def shot(page: Page, name: str) -> None:
    page.screenshot(path=SCREENSHOTS / f"moderation_{name}.png", full_page=True)


def moderation(site: str, reported: dict) -> dict | None:
    """Return the notice shown to the author."""
    return call(site, "GET", f"reviews/{reported['review']}/", None, reported["token"])["moderation"]


def test_case_is_decided_and_undone(site: str, reported: dict, admin: Page):
    admin.reload()
    expect(admin.locator("[data-panel]", has_text="open cases")).to_be_visible()
    shot(admin, "front")
    admin.locator("[data-panel] a").first.click()
    rows = admin.locator("#result_list tbody tr")
    expect(rows).to_have_count(3)
    # The most severe first.
    expect(rows.first).to_contain_text(f"Review {reported['review']}")
    shot(admin, "queue")
    rows.first.locator("a").first.click()
    expect(admin.locator("[data-target]")).to_contain_text("The second time it was even better")
    expect(admin.locator("[data-report]")).to_have_count(3)
    expect(admin.locator("[data-appeal]")).to_contain_text("it is my own")
    shot(admin, "case")
    admin.check("#decide input[value=hide]")
    admin.select_option("#decide select[name=reason]", "spoiler")
    admin.fill("#decide textarea[name=comment]", "Please mark what gives the end away.")
    admin.click("#decide [name=_stay]")
    expect(admin.locator("#page")).to_contain_text(f"Review {reported['review']}: hidden. rosa was notified.")
    shot(admin, "decided")
    assert moderation(site, reported) == {
        "status": "hidden",
        "reason": "spoiler",
        "text": "It contains unmarked spoilers. Please mark what gives the end away.",
    }
    admin.select_option("#undo select", "mistake")
    admin.click("#undo button")
    expect(admin.locator("#page")).to_contain_text("decision undone. rosa was notified.")
    assert moderation(site, reported)["status"] == "pending"
    shot(admin, "undone")


def test_missing_fields_are_reported(reported: dict, admin: Page):
    admin.goto(f"/admin/reviews/review/{reported['review']}/case/")
    expect(admin.locator("#decide [name=duration]")).to_be_hidden()
    admin.check("#decide input[value=suspend]")
    admin.select_option("#decide [name=duration]", "custom")
    admin.select_option("#decide select[name=reason]", "other")
    admin.click("#decide [name=_stay]")
    expect(admin.locator("#decide")).to_contain_text("Please enter a duration.")
    expect(admin.locator("#decide")).to_contain_text("Please explain the decision.")
    shot(admin, "missing")


def test_several_cases_are_decided_together(reported: dict, admin: Page):
    admin.goto(QUEUE)
    boxes = admin.locator("#result_list input.action-select")
    boxes.nth(1).check()
    boxes.nth(2).check()
    admin.select_option("select[name=action]", "decide_selected")
    admin.locator("button[name=index]").first.click()
    expect(admin.locator("#decide-selected")).to_contain_text("Cases")
    shot(admin, "decide-selected")
    admin.check("#decide-selected input[value=dismiss]")
    admin.select_option("#decide-selected select[name=reason]", "handled")
    admin.click("#decide-selected button[type=submit]")
    expect(admin.locator("#page")).to_contain_text("2 cases decided.")
    expect(admin.locator("#result_list tbody tr")).to_have_count(1)
    shot(admin, "after")


def test_dark_mode_on_a_small_screen(reported: dict, admin: Page):
    admin.emulate_media(color_scheme="dark")
    admin.set_viewport_size({"width": 420, "height": 900})
    admin.goto(f"/admin/reviews/review/{reported['review']}/case/")
    expect(admin.locator("[data-target]")).to_be_visible()
    assert admin.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    shot(admin, "small_dark")
