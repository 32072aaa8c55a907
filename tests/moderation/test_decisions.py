"""Decisions of moderators, and undoing them."""

import datetime

import pytest
from django.utils import timezone

from activity.models import Event
from core.audit.models import AuditEntry
from moderation.models import CaseView, Decision
from reviews.models import Review
from tests.accounts.conftest import is_accepted
from tests.conftest import PASSWORD
from tests.moderation.helpers import QUEUE, case_of, decide, page_of, problem, report, send, texts, undo
from tests.reviews.helpers import REVIEWS, book_statistics, counter_differences

pytestmark = pytest.mark.django_db


def test_hide_and_restore_notify_the_author(as_moira, as_alice, anonymous, review, clients, book):
    report(clients[0], review)
    case = case_of(review)
    name = f"Review {review.pk}"
    done = decide(as_moira, case, "hide", "spam", comment="Three links.")
    assert done == [f"{name}: hidden. alice was notified."]
    url = f"{REVIEWS}{review.pk}/"
    assert anonymous.get(url).status_code == 404
    assert book_statistics(anonymous, book) == (None, 0, {})
    assert as_alice.get(url).json()["moderation"] == {
        "status": "hidden",
        "reason": "spam",
        "text": "It is spam. Three links.",
    }
    text = "Hidden by a moderator: review “Emma”. It is spam. You can appeal in the app. Three links."
    assert texts(as_alice) == [text]
    assert decide(as_moira, case, "restore", "mistake") == [f"{name}: visible again. alice was notified."]
    assert anonymous.get(url).status_code == 200
    assert as_alice.get(url).json()["moderation"] is None
    assert texts(as_alice)[0] == "Visible again: review “Emma”. The decision was a mistake."
    assert counter_differences() == (0, [])
    assert [event.verb for event in Event.objects.filter(verb__startswith="moderation.").order_by("id")] == [
        "moderation.hidden",
        "moderation.restored",
    ]
    logged = AuditEntry.objects.filter(verb__startswith="moderation.").order_by("id")
    assert [(entry.verb, entry.actor_name, entry.target_type, entry.target_id, entry.reason) for entry in logged] == [
        ("moderation.hidden", "moira", "reviews.review", review.pk, "spam: Three links."),
        ("moderation.restored", "moira", "reviews.review", review.pk, "mistake"),
    ]


def test_decisions_are_found_in_the_audit_log(as_moira, admin_client_of, staff, clients, review, alice):
    for obj in (review, alice):
        report(clients[0], obj)
        decide(as_moira, case_of(obj), "warn", "spam")
    for query, target in ((f"reviews.review:{review.pk}", review), ("alice", alice)):
        found = admin_client_of(staff).get("/admin/core/auditentry/", {"q": query}).context["cl"].result_list
        assert [(entry.verb, entry.target_id) for entry in found] == [("moderation.warned", target.pk)]


def test_notification_follows_the_requested_language(as_moira, as_alice, alice, review, clients):
    alice.update_profile(language="pt-BR")
    report(clients[0], review)
    decide(as_moira, case_of(review), "hide", "spam")
    english = as_alice.get("/api/v1/users/me/notifications/", HTTP_ACCEPT_LANGUAGE="en").json()["results"][0]["text"]
    assert english == "Hidden by a moderator: review “Emma”. It is spam. You can appeal in the app."


def test_decision_closes_reports_and_resets_the_count(as_moira, clients, hidden, review, anonymous):
    case = case_of(review)
    decide(as_moira, case, "restore", "no_violation")
    case.refresh_from_db()
    assert (case.status, case.reports_count, case.reports.pending().count()) == ("closed", 0, 0)
    # Neither earlier reporters nor a single new one hide it again.
    for client in clients[:3]:
        problem(report(client, review), 409, "already_reported")
    for client in clients[3:5]:
        assert report(client, review).status_code == 201
        assert anonymous.get(f"{REVIEWS}{review.pk}/").status_code == 200
    assert report(clients[5], review).status_code == 201
    assert anonymous.get(f"{REVIEWS}{review.pk}/").status_code == 404


def test_dismiss_restores_and_notifies_only_if_hidden(as_moira, hidden, as_alice, clients, book, alice):
    decide(as_moira, case_of(hidden), "dismiss", "no_violation")
    assert as_alice.get(f"{REVIEWS}{hidden.pk}/").json()["moderation"] is None
    assert texts(as_alice)[0] == "Visible again: review “Emma”. It follows the rules."
    report(clients[0], alice)
    done = decide(as_moira, case_of(alice), "dismiss", "no_violation")
    assert done == [f"User {alice.pk}: reports and appeals dismissed. Nobody was notified."]
    assert len(texts(as_alice)) == 2


def test_warning_hides_the_content_by_default(as_moira, review, clients, as_alice, anonymous):
    report(clients[0], review, reason="abuse")
    done = decide(as_moira, case_of(review), "warn", "abuse")
    assert done == [f"Review {review.pk}: hidden, and author warned. alice was notified."]
    assert anonymous.get(f"{REVIEWS}{review.pk}/").status_code == 404
    assert as_alice.get(f"{REVIEWS}{review.pk}/").json()["moderation"]["status"] == "hidden"
    assert texts(as_alice)[0] == (
        "Hidden, with a warning from a moderator: review “Emma”. It attacks or harasses people. "
        "You can appeal in the app."
    )
    assert AuditEntry.objects.get(verb="moderation.warned").detail == "content hidden"
    undo(as_moira, case_of(review))
    assert anonymous.get(f"{REVIEWS}{review.pk}/").status_code == 200


def test_warning_keeps_the_content_visible_if_asked(as_moira, hidden, as_alice, anonymous):
    done = decide(as_moira, case_of(hidden), "warn", "abuse", content="keep")
    assert done == [f"Review {hidden.pk}: author warned, nothing hidden. alice was notified."]
    assert anonymous.get(f"{REVIEWS}{hidden.pk}/").status_code == 200
    text = "Warning from a moderator: review “Emma”. It attacks or harasses people. You can appeal in the app."
    assert texts(as_alice)[0] == text


def test_suspension_hides_the_content_by_default(as_moira, review, clients, anonymous):
    report(clients[0], review, reason="abuse")
    (done,) = decide(as_moira, case_of(review), "suspend", "abuse", duration="7")
    assert done.startswith(f"Review {review.pk}: hidden, and author suspended until 20")
    assert anonymous.get(f"{REVIEWS}{review.pk}/").status_code == 404


def test_reason_is_filled_in_from_the_reports(as_moira, review, clients):
    report(clients[0], review, reason="spam")
    report(clients[1], review, reason="abuse")
    decide(as_moira, case_of(review), "hide", reason="")
    assert Decision.objects.latest("pk").reason == "abuse"
    decide(as_moira, case_of(review), "restore", reason="")
    assert Decision.objects.latest("pk").reason == "no_violation"


@pytest.mark.parametrize(
    ("duration", "days", "expected"), [("1", "", 1), ("7", "", 7), ("30", "", 30), ("custom", "90", 90)]
)
def test_suspension_ends_sessions_immediately(as_moira, clients, alice, client_of, log_in, duration, days, expected):
    access = log_in("alice")["access"]
    report(clients[0], alice)
    decide(as_moira, case_of(alice), "suspend", "abuse", duration=duration, days=days)
    assert not is_accepted(access)
    rejected = client_of(None).get("/api/v1/users/me/", HTTP_AUTHORIZATION=f"Bearer {access}")
    assert rejected.json()["code"] == "account_suspended"
    alice.refresh_from_db()
    remaining = alice.suspended_until - timezone.now()
    assert datetime.timedelta(days=expected, minutes=-1) < remaining <= datetime.timedelta(days=expected)
    undo(as_moira, case_of(alice))
    assert log_in("alice")["access"]
    alice.refresh_from_db()
    assert alice.suspended_until is None


def test_suspension_is_not_shortened_by_another_case(as_moira, as_norbert, clients, alice, review):
    for obj in (alice, review):
        report(clients[0], obj)
    decide(as_moira, case_of(alice), "suspend", "abuse", duration="30")
    alice.refresh_from_db()
    until = alice.suspended_until
    assert "already suspended for longer" in decide(as_norbert, case_of(review), "suspend", "spam", duration="7")[0]
    alice.refresh_from_db()
    assert alice.suspended_until == until
    assert not Decision.objects.filter(case=case_of(review)).exists()
    decide(as_norbert, case_of(review), "suspend", "spam", duration="custom", days="90")
    undo(as_norbert, case_of(review))
    alice.refresh_from_db()
    assert alice.suspended_until == until


@pytest.fixture
def log_in(anonymous):
    def call(name):
        response = anonymous.post("/api/v1/auth/login/", {"username": name, "password": PASSWORD})
        assert response.status_code == 200, response.content
        return response.json()

    return call


def test_undo_restores_the_previous_state(as_moira, hidden, anonymous, as_alice, book):
    case = case_of(hidden)
    for action, reason in (("hide", "spam"), ("restore", "no_violation"), ("dismiss", "handled"), ("warn", "abuse")):
        before = case_of(hidden)
        decide(as_moira, case, action, reason)
        assert case_of(hidden).status == "closed"
        undo(as_moira, case)
        after = case_of(hidden)
        restored = ("hidden_state", "reason", "comment", "status", "reports_count", "severity", "opened_at")
        assert [getattr(after, name) for name in restored] == [getattr(before, name) for name in restored], action
        assert after.version == before.version + 2
        assert as_alice.get(f"{REVIEWS}{hidden.pk}/").json()["moderation"]["status"] == "pending"
        assert book_statistics(anonymous, book) == (None, 0, {})
    assert Decision.objects.filter(action="undo").count() == 4
    assert texts(as_alice)[0] == "A moderator has reversed a decision: review “Emma”. The decision was a mistake."
    assert counter_differences() == (0, [])


def test_undo_keeps_content_that_reports_hid_later(as_moira, clients, review, anonymous):
    report(clients[0], review)
    case = case_of(review)
    decide(as_moira, case, "warn", "spam", content="keep")
    for client in clients[1:4]:
        report(client, review)
    undo(as_moira, case)
    assert (case_of(review).hidden_state, case_of(review).reports_count) == ("pending", 4)
    assert anonymous.get(f"{REVIEWS}{review.pk}/").status_code == 404
    decide(as_moira, case, "dismiss", "no_violation")
    assert anonymous.get(f"{REVIEWS}{review.pk}/").status_code == 200
    assert counter_differences() == (0, [])


def test_undo_is_limited_to_the_last_decision(as_moira, hidden):
    case = case_of(hidden)
    decide(as_moira, case, "hide", "spam")
    first = Decision.objects.get(action="hide")
    decide(as_moira, case, "warn", "abuse")
    body = {"undo": first.pk, "undo-version": case_of(hidden).version, "undo-reason": "mistake"}
    assert "Only the last decision" in send(as_moira, case, body)[0]
    undo(as_moira, case)
    undo(as_moira, case)
    assert case_of(hidden).hidden_state == "pending"
    assert as_moira.get(page_of(case)).context["last_decision"] is None


def test_moderator_cannot_decide_own_content(moira, as_moira, review, clients, client_of):
    Review.objects.filter(pk=review.pk).update(author=moira)
    report(clients[0], review)
    assert "another moderator must decide" in decide(as_moira, case_of(review), "dismiss", "no_violation")[0]
    assert not Decision.objects.exists()


def test_only_administrators_suspend_staff(as_moira, admin_client_of, staff, make_moderator, clients):
    other = make_moderator("olga")
    report(clients[0], other)
    case = case_of(other)
    assert "Only administrators" in decide(as_moira, case, "suspend", duration="7")[0]
    decide(admin_client_of(staff), case, "suspend", duration="7")
    other.refresh_from_db()
    assert other.is_suspended


def test_decision_about_a_deleted_object_closes_the_case(as_moira, review, clients):
    report(clients[0], review)
    case = case_of(review)
    body = {"version": 0, "decision": "hide", "reason": "spam"}
    Review.objects.all().delete()
    assert "It has been deleted." in as_moira.get(page_of(case)).content.decode()
    assert "deleted in the meantime" in send(as_moira, case, body)[0]
    case.refresh_from_db()
    assert case.status == "deleted"


def test_case_is_opened_without_a_report(as_moira, review, as_alice):
    response = as_moira.get(f"{QUEUE}open/review/{review.pk}/")
    case = case_of(review)
    assert response["Location"] == page_of(case)
    assert case.status == "closed"
    decide(as_moira, case, "hide", "spam")
    assert as_alice.get(f"{REVIEWS}{review.pk}/").json()["moderation"]["status"] == "hidden"
    assert as_moira.get(f"{QUEUE}open/review/{10**9}/").status_code == 404
    assert as_moira.get(f"{QUEUE}open/comment/1/").status_code == 404


def test_review_hidden_without_a_case_can_be_restored(as_moira, review, as_alice, anonymous):
    review.hide()
    assert as_alice.get(f"{REVIEWS}{review.pk}/").json()["moderation"] == {
        "status": "hidden",
        "reason": "other",
        "text": "It does not belong here.",
    }
    as_moira.get(f"{QUEUE}open/review/{review.pk}/")
    decide(as_moira, case_of(review), "restore", "mistake")
    assert anonymous.get(f"{REVIEWS}{review.pk}/").status_code == 200


def test_decisions_are_read_only(as_moira, admin_client_of, staff, review, clients):
    report(clients[0], review)
    decide(as_moira, case_of(review), "hide", "spam")
    decision = Decision.objects.get()
    client = admin_client_of(staff)
    for path in (f"decision/{decision.pk}/", f"caseview/{CaseView.objects.first().pk}/", f"case/{decision.case_id}/"):
        url = f"/admin/moderation/{path}"
        assert client.get(f"{url}change/").status_code == 200, path
        assert client.post(f"{url}delete/", {"post": "yes"}).status_code == 403
    for path in ("decision", "caseview"):
        assert client.get(f"/admin/moderation/{path}/").status_code == 200
        assert client.get(f"/admin/moderation/{path}/add/").status_code == 403
    assert client.post(f"/admin/moderation/decision/{decision.pk}/change/", {"comment": "x"}).status_code == 403
    assert client.get("/admin/moderation/decision/?q=alice").context["cl"].result_count == 1
