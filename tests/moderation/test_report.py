"""Readers report what they see."""

import pytest

from activity.models import Event, Notification, Thing
from catalog.merging.services import merge_books
from catalog.models import Book
from clubs.models import Club
from moderation.models import Case, Report
from tests.moderation.helpers import REPORTS, bad_fields, case_of, problem, report
from tests.reviews.helpers import REVIEWS, differences, figures

pytestmark = pytest.mark.django_db


def test_a_report_is_taken_once(as_bob, bob, review):
    answer = report(as_bob, review, reason="abuse", note="Rude.")
    assert answer.status_code == 201, answer.content
    made = Report.objects.get()
    assert answer.json() == {
        "id": made.pk,
        "target_type": "review",
        "target_id": review.pk,
        "reason": "abuse",
        "note": "Rude.",
        "created_at": answer.json()["created_at"],
    }
    problem(report(as_bob, review, reason="spam"), 409, "already_reported")
    assert (made.reporter, made.case.reports_count, made.case.state) == (bob, 1, "open")
    event = Event.objects.get(verb="report.created")
    assert (event.actor, event.thing, event.subject) == (bob, Thing("review", review.pk, "Emma"), None)


def test_everything_that_is_seen_can_be_reported(as_bob, review, club, charlie, book):
    for thing in (review, club, charlie, book):
        assert report(as_bob, thing).status_code == 201, thing
    assert Case.objects.open().count() == 4
    assert not Notification.objects.exists()


def test_a_merged_book_stands_for_the_kept_one(as_bob, alice, book):
    other = Book.add(by=alice, title="Emma again", authors=["Jane Austen"])
    merge_books(kept=book, gone=other, by=alice, reason="One work")
    assert report(as_bob, other).json()["target_id"] == book.pk
    problem(report(as_bob, book), 409, "already_reported")
    problem(report(as_bob, other), 409, "already_reported")


def test_ones_own_cannot_be_reported(as_alice, review, club, alice, book, mallory, client_of):
    for client, thing in ((as_alice, review), (as_alice, club), (as_alice, alice), (client_of(mallory), book)):
        problem(report(client, thing), 403, "own_content")
    assert not Case.objects.exists()


def test_what_is_not_seen_does_not_exist(as_charlie, as_bob, alice, bob, review, book, make_user):
    private = Club.found(by=alice, name="Secret", visibility="private")
    review.change(visibility="private")
    gone = make_user("gone", is_active=False)
    shapes = []
    for thing in (private, review, gone):
        answer = report(as_charlie, thing)
        assert bad_fields(answer) == {"target_id": "does_not_exist"}
        shapes.append(answer.json()["errors"])
    absent = as_charlie.post(REPORTS, {"target_type": "book", "target_id": 10**15, "reason": "spam"})
    assert absent.json()["errors"] == shapes[0] == shapes[1] == shapes[2]
    assert not Case.objects.exists()


def test_a_block_keeps_both_from_seeing_and_so_from_reporting(as_bob, bob, alice, as_alice, review):
    assert as_alice.put("/api/v1/users/bob/block/").status_code == 204
    assert bad_fields(report(as_bob, review)) == {"target_id": "does_not_exist"}


@pytest.mark.parametrize(
    ("body", "bad"),
    [
        ({"target_type": "comment"}, {"target_type": "invalid_choice"}),
        ({"target_type": None}, {"target_type": "null"}),
        ({"target_id": 0}, {"target_id": "min_value"}),
        ({"target_id": 10**30}, {"target_id": "max_value"}),
        ({"target_id": "x"}, {"target_id": "invalid"}),
        ({"reason": "dull"}, {"reason": "invalid_choice"}),
        ({"note": "x" * 1001}, {"note": "max_length"}),
        ({"note": "\u200b"}, {"note": "invisible"}),
        ({"note": "a\x00b"}, {"note": "null_characters_not_allowed"}),
    ],
)
def test_bad_bodies(as_bob, review, body, bad):
    assert bad_fields(report(as_bob, review, **body)) == bad
    assert bad_fields(as_bob.post(REPORTS, {})) == dict.fromkeys(["target_type", "target_id", "reason"], "required")


def test_it_needs_a_sign_in_and_has_no_list(anonymous, as_bob, review):
    assert report(anonymous, review).status_code == 401
    assert as_bob.get(REPORTS).status_code == 405


def test_sent_again_with_its_key_it_is_the_same_report(as_bob, review):
    body = {"target_type": "review", "target_id": review.pk, "reason": "spam"}
    first, second = (as_bob.post(REPORTS, body, HTTP_IDEMPOTENCY_KEY="once") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second["Idempotency-Replayed"] == "true"


def test_enough_readers_hide_a_review_until_staff_look(clients, anonymous, as_alice, alice, review, book):
    url = f"{REVIEWS}{review.pk}/"
    for client, reason in zip(clients[:2], ("spam", "abuse"), strict=False):
        assert report(client, review, reason=reason, note="By me").status_code == 201
        assert figures(anonymous, book)[:2] == (4.5, 1)
    assert as_alice.get(url).json()["moderation"] is None
    assert report(clients[2], review).status_code == 201
    # gone for others, and from the figures, at once
    assert anonymous.get(url).status_code == clients[0].get(url).status_code == 404
    assert figures(anonymous, book) == (None, 0, {})
    assert anonymous.get(f"{REVIEWS}?book={book.pk}").json()["results"] == []
    alice.refresh_from_db()
    assert alice.reviews_count == 0
    # shown to its author, with the worst of the reasons and nobody's name
    own = as_alice.get(url)
    assert own.json()["moderation"] == {
        "status": "pending",
        "reason": "abuse",
        "text": "It attacks or harasses people.",
    }
    assert b"reader" not in own.content
    assert b"By me" not in own.content
    assert as_alice.get(f"{REVIEWS}?user={alice.pk}").json()["results"][0]["moderation"]["status"] == "pending"
    assert as_alice.patch(url, {"body": "Calmer."}).json()["moderation"]["status"] == "pending"
    told = Notification.objects.get()
    assert (told.user, told.kind, told.actor) == (alice, "moderation", None)
    assert as_alice.get("/api/v1/users/me/notifications/").json()["results"][0]["text"] == (
        "Hidden until a moderator looks at it, because readers have reported it: review “Emma”. "
        "It attacks or harasses people."
    )
    assert differences() == (0, [])
    # a fourth sees nothing to report, the first are told that they have
    assert bad_fields(report(clients[3], review)) == {"target_id": "does_not_exist"}
    problem(report(clients[0], review), 409, "already_reported")


def test_how_many_it_takes_is_a_setting(clients, as_alice, review, settings):
    settings.REPORTS_TO_HIDE = 1
    assert report(clients[0], review).status_code == 201
    assert as_alice.get(f"{REVIEWS}{review.pk}/").json()["moderation"]["status"] == "pending"
    problem(report(clients[0], review), 409, "already_reported")


def test_clubs_people_and_books_only_join_the_queue(clients, anonymous, club, alice, book):
    for thing in (club, alice, book):
        for client in clients[:4]:
            assert report(client, thing).status_code == 201
        assert (case_of(thing).reports_count, case_of(thing).concealed) == (4, "")
    assert anonymous.get(f"/api/v1/clubs/{club.pk}/").status_code == 200
    assert anonymous.get(f"/api/v1/books/{book.pk}/").status_code == 200
    assert clients[0].get("/api/v1/users/alice/").status_code == 200


def test_the_queue_begins_with_the_greatest_harm(clients, review, club, alice, book):
    for client, thing, reason in [
        (clients[0], book, "other"),
        (clients[0], club, "spam"),
        (clients[1], club, "spam"),
        (clients[0], alice, "abuse"),
        (clients[0], review, "spam"),
    ]:
        report(client, thing, reason=reason)
    queue = Case.objects.open().order_by("-harm", "opened_at", "id")
    assert [case.target_type for case in queue] == ["user", "club", "review", "book"]
