"""Reports of users, and automatic hiding."""

import pytest

from activity.models import Event, Notification, ObjectRef
from catalog.merges.services import merge_books
from catalog.models import Book
from clubs.models import Club
from moderation.models import Case, Report
from tests.moderation.helpers import REPORTS, bad_fields, case_of, problem, report
from tests.reviews.helpers import REVIEWS, book_statistics, counter_differences

pytestmark = pytest.mark.django_db


def test_report_is_created_only_once(as_bob, bob, review):
    response = report(as_bob, review, reason="abuse", note="Rude.")
    assert response.status_code == 201, response.content
    created = Report.objects.get()
    assert response.json() == {
        "id": created.pk,
        "target_type": "review",
        "target_id": review.pk,
        "reason": "abuse",
        "note": "Rude.",
        "created_at": response.json()["created_at"],
    }
    problem(report(as_bob, review, reason="spam"), 409, "already_reported")
    assert (created.reporter, created.case.reports_count, created.case.status) == (bob, 1, "open")
    event = Event.objects.get(verb="report.created")
    assert (event.actor, event.object_ref, event.subject) == (bob, ObjectRef("review", review.pk, "Emma"), None)


def test_every_target_type_can_be_reported(as_bob, review, club, charlie, book):
    for obj in (review, club, charlie, book):
        assert report(as_bob, obj).status_code == 201, obj
    assert Case.objects.open().count() == 4
    assert not Notification.objects.exists()


def test_report_of_a_merged_book_counts_for_the_target(as_bob, alice, book):
    other = Book.create_book(by=alice, title="Emma again", authors=["Jane Austen"])
    merge_books(target=book, source=other, by=alice, reason="One work")
    assert report(as_bob, other).json()["target_id"] == book.pk
    problem(report(as_bob, book), 409, "already_reported")
    problem(report(as_bob, other), 409, "already_reported")


def test_own_content_cannot_be_reported(as_alice, review, club, alice, book, mallory, client_of):
    for client, obj in ((as_alice, review), (as_alice, club), (as_alice, alice), (client_of(mallory), book)):
        problem(report(client, obj), 403, "own_content")
    assert not Case.objects.exists()


def test_report_of_an_invisible_object_is_rejected(as_charlie, as_bob, alice, bob, review, book, make_user):
    private = Club.create_club(by=alice, name="Secret", visibility="private")
    review.update_review(visibility="private")
    inactive = make_user("gone", is_active=False)
    errors = []
    for obj in (private, review, inactive):
        response = report(as_charlie, obj)
        assert bad_fields(response) == {"target_id": "does_not_exist"}
        errors.append(response.json()["errors"])
    absent = as_charlie.post(REPORTS, {"target_type": "book", "target_id": 10**15, "reason": "spam"})
    assert absent.json()["errors"] == errors[0] == errors[1] == errors[2]
    assert not Case.objects.exists()


def test_report_across_a_block_is_rejected(as_bob, bob, alice, as_alice, review):
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
def test_report_with_invalid_body_is_rejected(as_bob, review, body, bad):
    assert bad_fields(report(as_bob, review, **body)) == bad
    assert bad_fields(as_bob.post(REPORTS, {})) == dict.fromkeys(["target_type", "target_id", "reason"], "required")


def test_report_requires_authentication_and_has_no_list(anonymous, as_bob, review):
    assert report(anonymous, review).status_code == 401
    assert as_bob.get(REPORTS).status_code == 405


def test_report_with_the_same_key_is_replayed(as_bob, review):
    body = {"target_type": "review", "target_id": review.pk, "reason": "spam"}
    first, second = (as_bob.post(REPORTS, body, HTTP_IDEMPOTENCY_KEY="once") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second["Idempotency-Replayed"] == "true"


def test_enough_reports_hide_a_review(clients, anonymous, as_alice, alice, review, book):
    url = f"{REVIEWS}{review.pk}/"
    for client, reason in zip(clients[:2], ("spam", "abuse"), strict=False):
        assert report(client, review, reason=reason, note="By me").status_code == 201
        assert book_statistics(anonymous, book)[:2] == (4.5, 1)
    assert as_alice.get(url).json()["moderation"] is None
    assert report(clients[2], review).status_code == 201
    # hidden from others, and no longer counted
    assert anonymous.get(url).status_code == clients[0].get(url).status_code == 404
    assert book_statistics(anonymous, book) == (None, 0, {})
    assert anonymous.get(f"{REVIEWS}?book={book.pk}").json()["results"] == []
    alice.refresh_from_db()
    assert alice.reviews_count == 0
    # visible to its author, with the most severe reason but without reporters
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
    notification = Notification.objects.get()
    assert (notification.user, notification.kind, notification.actor) == (alice, "moderation", None)
    assert as_alice.get("/api/v1/users/me/notifications/").json()["results"][0]["text"] == (
        "Hidden pending review by a moderator, after reports from readers: review “Emma”. "
        "It attacks or harasses people. You can appeal in the app."
    )
    assert counter_differences() == (0, [])
    # invisible to a fourth reporter; the first three get the conflict
    assert bad_fields(report(clients[3], review)) == {"target_id": "does_not_exist"}
    problem(report(clients[0], review), 409, "already_reported")


def test_reports_to_hide_is_a_setting(clients, as_alice, review, settings):
    settings.REPORTS_TO_HIDE = 1
    assert report(clients[0], review).status_code == 201
    assert as_alice.get(f"{REVIEWS}{review.pk}/").json()["moderation"]["status"] == "pending"
    problem(report(clients[0], review), 409, "already_reported")


def test_reports_do_not_hide_clubs_users_and_books(clients, anonymous, club, alice, book):
    for obj in (club, alice, book):
        for client in clients[:4]:
            assert report(client, obj).status_code == 201
        assert (case_of(obj).reports_count, case_of(obj).hidden_state) == (4, "")
    assert anonymous.get(f"/api/v1/clubs/{club.pk}/").status_code == 200
    assert anonymous.get(f"/api/v1/books/{book.pk}/").status_code == 200
    assert clients[0].get("/api/v1/users/alice/").status_code == 200
