"""Concurrent reports and decisions: one effect each, counters right, no response is a 5xx."""

from functools import partial

import pytest
from django.test import Client

from catalog.models import Book
from clubs.models import Club
from discussions.models import Post
from moderation.models import Case, Decision, Report
from reviews.models import Review
from tests.clubs.helpers import bring_in
from tests.concurrency.tools import ROUNDS, at_once, statuses
from tests.conftest import PASSWORD
from tests.moderation.helpers import appeal, case_of, page_of, report
from tests.reviews.helpers import REVIEWS, counter_differences

ME = "/api/v1/users/me/"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def users(make_user):
    return [make_user(f"reader{n}") for n in range(5)]


@pytest.fixture
def browsers(make_user):
    found = []
    for name in ("moira", "norbert"):
        client = Client()
        client.force_login(make_user(name, is_staff=True, is_superuser=True))
        found.append(client)
    return found


@pytest.fixture
def write(alice):
    """Create a review by Alice of a new book."""

    def make():
        return Review.create_review(
            book=Book.create_book(by=None, title="Emma", authors=["A"]), by=alice, rating=8, body="Good."
        )

    return make


def check():
    """Check that cases match their reports and that hidden states match the targets."""
    for case in Case.objects.exclude(status="deleted"):
        assert case.reports_count == case.reports.pending().count(), case
        assert case.status == ("open" if case.reports_count or case.is_appealed else "closed"), case
    for review in Review.objects.all():
        hidden_state = Case.objects.filter(target_type="review", target_id=review.pk).exclude(hidden_state="").exists()
        assert hidden_state == (review.hidden_at is not None), review
    assert counter_differences() == (0, [])


def decide(client, case, decision, reason):
    """Load the case page and return the call that submits its form."""
    shown = client.get(page_of(case)).context
    form = {"version": shown["case"].version, "digest": shown["form"].initial["digest"]}
    return partial(client.post, page_of(case), form | {"decision": decision, "reason": reason}, follow=True)


def test_simultaneous_reports_of_one_user_create_one(clients, write, settings):
    settings.REPORTS_TO_HIDE = 1
    for _round in range(ROUNDS):
        review = write()
        responses = at_once([partial(report, clients[0], review)] * 12)
        assert statuses(responses) == {201: 1, 409: 11}
        assert {response.json()["code"] for response in responses if response.status_code == 409} == {
            "already_reported"
        }
        assert Decision.objects.filter(case=case_of(review)).count() == 1
    check()


def test_simultaneous_reports_hide_target_once(clients, write):
    for number in range(ROUNDS):
        review, many = write(), 3 + number % 3
        responses = at_once([partial(report, client, review) for client in clients[:many]])
        # Reports after the automatic hiding may get 400.
        assert statuses(responses).keys() <= {201, 400}
        assert [response.status_code for response in responses].count(201) >= 3
        case = case_of(review)
        assert (case.hidden_state, case.decisions.count()) == ("pending", 1)
    check()


def test_simultaneous_decisions_allow_one(clients, write, browsers):
    for _round in range(ROUNDS):
        review = write()
        report(clients[0], review)
        case = case_of(review)
        calls = [
            decide(browsers[0], case, "hide", "spam"),
            decide(browsers[1], case, "dismiss", "no_violation"),
        ]
        responses = at_once(calls)
        assert statuses(responses) == {200: 2}
        assert Decision.objects.filter(case=case).count() == 1
        # Compare the pages, because test clients in threads share their contexts.
        assert sum(b"has decided this case" in response.content for response in responses) == 1
    check()


def test_decision_during_edit_report_and_appeal(clients, write, browsers, as_alice):
    for number in range(ROUNDS):
        review = write()
        url = f"{REVIEWS}{review.pk}/"
        for client in clients[: number % 4]:
            report(client, review)
        case = case_of(review) if number % 4 else None
        calls = [partial(as_alice.patch, url, {"rating": n / 2, "visibility": "public"}) for n in range(1, 5)]
        calls += [partial(report, clients[4], review), partial(appeal, as_alice, review)]
        if case:
            calls.append(decide(browsers[0], case, ("hide", "warn", "dismiss")[number % 3], "spam"))
        assert statuses(at_once(calls)).keys() <= {200, 201, 400, 409}
        check()


def test_decision_during_target_deletion(clients, write, browsers, as_alice):
    for _round in range(ROUNDS):
        review = write()
        report(clients[4], review)
        case = case_of(review)
        calls = [partial(report, client, review) for client in clients[:4]]
        calls += [decide(browsers[0], case, "hide", "spam"), partial(as_alice.delete, f"{REVIEWS}{review.pk}/")]
        responses = at_once(calls)
        assert statuses(responses).keys() <= {200, 201, 204, 400}
        assert responses[-1].status_code == 204
        case.refresh_from_db()
        assert (case.status, case.hidden_state) == ("deleted", "")
    check()


def test_reports_during_post_update_and_deletion(clients, users, alice, as_alice, bob, client_of):
    as_bob = client_of(bob)
    club = Club.create_club(by=alice, name="Loud")
    for user in (bob, *users):
        bring_in(club, user)
    threads = f"/api/v1/clubs/{club.pk}/threads/"
    thread = f"{threads}{as_alice.post(threads, {'title': 'T', 'body': 'x'}).json()['id']}/posts/"
    for number in range(ROUNDS):
        post = Post.objects.get(pk=as_bob.post(thread, {"body": "Fools!"}).json()["id"])
        calls = [partial(report, client, post) for client in clients[:4]]
        calls += [partial(as_bob.patch, f"{thread}{post.pk}/", {"body": "Sorry."})]
        calls += [partial(client.post, thread, {"body": "No.", "reply_to": post.pk}) for client in clients[3:]]
        if number % 2:
            calls.append(partial(as_alice.delete, f"{thread}{post.pk}/"))
        assert statuses(at_once(calls)).keys() <= {200, 201, 204, 400, 404, 409}
        post.refresh_from_db()
        case = Case.objects.filter(target_type="post", target_id=post.pk).first()
        if post.deleted_at:
            assert case is None or case.status == "deleted"
        else:
            assert case is not None
            assert (
                (case.hidden_state == "pending")
                == (post.hidden_at is not None)
                == (Report.objects.filter(case=case).count() >= 3)
            )
        assert counter_differences() == (0, [])


def test_decision_during_account_deletions(make_user, client_of, write, browsers):
    for number in range(ROUNDS):
        leaver, author = make_user(f"leaver{number}"), make_user(f"author{number}")
        review = Review.create_review(book=Book.create_book(by=None, title="T", authors=["A"]), by=author, rating=4)
        other = write()
        report(client_of(leaver), author)
        case = case_of(author)
        calls = [
            partial(report, client_of(leaver), review),
            partial(report, client_of(leaver), other),
            partial(client_of(leaver).delete, ME, {"password": PASSWORD}),
            partial(client_of(author).delete, ME, {"password": PASSWORD, "reviews": "delete"}),
            decide(browsers[0], case, "warn", "abuse"),
        ]
        responses = at_once(calls)
        assert statuses(responses).keys() <= {200, 201, 204, 400, 401, 409}
        assert {response.status_code for response in responses[2:4]} == {204}
        case.refresh_from_db()
        assert case.status == "deleted"
    check()


def test_decision_during_moderator_account_deletion(make_user, client_of, clients, write):
    for number in range(ROUNDS):
        leaver, browser = make_user(f"leaver{number}", is_staff=True, is_superuser=True), Client()
        browser.force_login(leaver)
        calls = []
        for decision in ("hide", "warn"):
            review = write()
            report(clients[0], review)
            calls.append(decide(browser, case_of(review), decision, "spam"))
        read = partial(browser.get, page_of(case_of(review)))
        responses = at_once([*calls, read, partial(client_of(leaver).delete, ME, {"password": PASSWORD})])
        # A late request is redirected to the login page or gets 403.
        assert statuses(responses).keys() <= {200, 204, 302, 403}
        assert responses[-1].status_code == 204
    check()
