"""A hundred cases decided in a row, fifty by keys alone and fifty by mouse alone, with two actions each."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PASSWORD, SCREENSHOTS, STAFF, first_login
from tests.server import running_server

QUEUE = "/admin/moderation/case/"
COUNT = 50
DECISIONS = ("hide", "dismiss", "warn", "suspend")
# As many reviews by different authors as both tests need, each with one report; the reasons change.
CREATE_CASES = f"""
from accounts.models import User
from catalog.models import Book
from moderation.services import create_report
from reviews.models import Review
book, reporter = Book.objects.order_by("pk").first(), User.objects.create_user("case.reporter", None)
for n in range({2 * COUNT}):
    author = User.objects.create_user(f"case.{{n}}", None)
    review = Review.create_review(book=book, by=author, rating=n % 10 + 1, body=f"This is text number {{n}}.")
    reason = ("abuse", "spam", "spoiler", "copyright")[n % 4]
    create_report(by=reporter, target_type="review", target_id=review.pk, reason=reason)
"""


@pytest.fixture(scope="module")
def case_page(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Page]:
    """A superuser's page of a server with the cases, in a window of 1280 by 800."""
    superuser = ["createsuperuser", "--noinput", "--username", STAFF]
    prepare = [["load_demo"], superuser, ["shell", "-c", CREATE_CASES]]
    home = tmp_path_factory.mktemp("case-page")
    with running_server(home, *prepare, DJANGO_SUPERUSER_PASSWORD=PASSWORD, RATE_WRITE="off") as address:
        context = browser.new_context(viewport={"width": 1280, "height": 800}, base_url=address)
        page = context.new_page()
        first_login(page, STAFF)
        yield page
        context.close()


def decide_in_a_row(page: Page, act: Callable[[str], None]) -> list[str]:
    """Decide `COUNT` cases with the same two actions for each; return the paths of their pages."""
    page.goto(QUEUE)
    page.locator("#result_list tbody a").first.click()
    decided = []
    for number in range(COUNT):
        expect(page.locator("[data-target]")).to_contain_text("This is text number")
        for button in page.locator("#decide [name=decision], #decide [name=_next]").all():
            expect(button).to_be_in_viewport()
        decided.append(page.url.partition("?")[0])
        with page.expect_navigation():
            act(DECISIONS[number % 4])
        expect(page.locator("#page")).to_contain_text("was notified")
        if number < 4:
            page.screenshot(path=SCREENSHOTS / f"case {number}.png")
    return decided


def test_cases_are_decided_by_keys_alone(case_page: Page):
    def act(decision: str) -> None:
        case_page.keyboard.press(decision[0])
        case_page.keyboard.press("Enter")

    assert len(set(decide_in_a_row(case_page, act))) == COUNT


def test_cases_are_decided_by_mouse_alone(case_page: Page):
    def act(decision: str) -> None:
        case_page.click(f"#decide [value={decision}]")
        case_page.click("#decide [name=_next]")

    assert len(set(decide_in_a_row(case_page, act))) == COUNT
    # The queue is empty now, and says so.
    expect(case_page.locator("[data-empty]")).to_contain_text("No case is waiting")


def test_keys_can_be_switched_off(case_page: Page):
    case_page.goto(f"{QUEUE}?queue=closed")
    case_page.locator("#result_list tbody a").first.click()
    keys = case_page.locator("#case kbd").first
    expect(keys).to_be_visible()
    case_page.uncheck("#case-keys")
    expect(keys).to_be_hidden()
    before = case_page.url
    case_page.keyboard.press("n")
    case_page.reload()
    assert case_page.url == before
    expect(case_page.locator("#case-keys")).not_to_be_checked()
    case_page.check("#case-keys")
