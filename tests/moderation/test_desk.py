"""The staff's desk: decisions and their undoing."""

import datetime

import pytest
from django.utils import timezone

from activity.models import Event
from bookbridge.api.audit.models import AuditEntry
from moderation.models import Decision, Opening
from reviews.models import Review
from tests.accounts.conftest import is_accepted
from tests.moderation.helpers import QUEUE, case_of, decide, page_of, problem, report, send, texts, undo
from tests.reviews.helpers import REVIEWS, differences, figures

pytestmark = pytest.mark.django_db


def test_hiding_restoring_and_what_its_author_reads(desk, as_alice, anonymous, review, clients, book):
    report(clients[0], review)
    case = case_of(review)
    assert decide(desk, case, "hide", "spam", words="Three links.") == [
        "Done. Its author is told, where it concerns them."
    ]
    url = f"{REVIEWS}{review.pk}/"
    assert anonymous.get(url).status_code == 404
    assert figures(anonymous, book) == (None, 0, {})
    assert as_alice.get(url).json()["moderation"] == {
        "status": "hidden",
        "reason": "spam",
        "text": "It is spam. Three links.",
    }
    assert texts(as_alice) == ["Hidden by a moderator: review “Emma”. It is spam. Three links."]
    assert decide(desk, case, "restore", "mistake") == ["Done. Its author is told, where it concerns them."]
    assert anonymous.get(url).status_code == 200
    assert as_alice.get(url).json()["moderation"] is None
    assert texts(as_alice)[0] == "Shown again: review “Emma”. The decision was a mistake."
    assert differences() == (0, [])
    assert [event.verb for event in Event.objects.filter(verb__startswith="moderation.").order_by("id")] == [
        "moderation.hidden",
        "moderation.restored",
    ]
    logged = AuditEntry.objects.filter(verb__startswith="moderation.").order_by("id")
    assert [(entry.verb, entry.actor_name, entry.target_type, entry.target_id, entry.reason) for entry in logged] == [
        ("moderation.hidden", "moira", "reviews.review", review.pk, "spam: Three links."),
        ("moderation.restored", "moira", "reviews.review", review.pk, "mistake"),
    ]


def test_what_was_decided_is_found_in_the_audit_log(desk, desk_of, staff, clients, review, alice):
    for thing in (review, alice):
        report(clients[0], thing)
        decide(desk, case_of(thing), "warn", "spam")
    for sought, about in ((f"reviews.review:{review.pk}", review), ("alice", alice)):
        found = desk_of(staff).get("/admin/api/auditentry/", {"q": sought}).context["cl"].result_list
        assert [(entry.verb, entry.target_id) for entry in found] == [("moderation.warned", about.pk)]


def test_the_author_reads_it_in_their_language(desk, as_alice, alice, review, clients):
    alice.change_profile(language="pt-BR")
    report(clients[0], review)
    decide(desk, case_of(review), "hide", "spam")
    english = as_alice.get("/api/v1/users/me/notifications/", HTTP_ACCEPT_LANGUAGE="en").json()["results"][0]["text"]
    assert english == "Hidden by a moderator: review “Emma”. It is spam."


def test_a_decision_ends_all_reports_and_new_ones_count_afresh(desk, clients, hidden, review, anonymous):
    case = case_of(review)
    decide(desk, case, "restore", "no_violation")
    case.refresh_from_db()
    assert (case.state, case.reports_count, case.reports.waiting().count()) == ("closed", 0, 0)
    # The same people do not hide it again, nor does each new one.
    for client in clients[:3]:
        problem(report(client, review), 409, "already_reported")
    for client in clients[3:5]:
        assert report(client, review).status_code == 201
        assert anonymous.get(f"{REVIEWS}{review.pk}/").status_code == 200
    assert report(clients[5], review).status_code == 201
    assert anonymous.get(f"{REVIEWS}{review.pk}/").status_code == 404


def test_dismissing_shows_what_was_hidden_and_tells_nobody_of_what_was_not(
    desk, hidden, as_alice, clients, book, alice
):
    decide(desk, case_of(hidden), "dismiss", "no_violation")
    assert as_alice.get(f"{REVIEWS}{hidden.pk}/").json()["moderation"] is None
    assert texts(as_alice)[0] == "Shown again: review “Emma”. It keeps to the rules."
    report(clients[0], alice)
    decide(desk, case_of(alice), "dismiss", "no_violation")
    assert len(texts(as_alice)) == 2


def test_a_warning_leaves_what_reports_have_hidden_hidden(desk, hidden, as_alice):
    decide(desk, case_of(hidden), "warn", "abuse")
    assert as_alice.get(f"{REVIEWS}{hidden.pk}/").json()["moderation"]["status"] == "hidden"
    assert texts(as_alice)[0] == "A moderator warns you: review “Emma”. It attacks or harasses people."


@pytest.mark.parametrize(
    ("duration", "days", "expected"), [("1", "", 1), ("7", "", 7), ("30", "", 30), ("own", "90", 90)]
)
def test_a_suspension_ends_sign_ins_at_once(desk, clients, alice, client_of, post_sign_in, duration, days, expected):
    access = post_sign_in("alice")["access"]
    report(clients[0], alice)
    decide(desk, case_of(alice), "suspend", "abuse", duration=duration, days=days)
    assert not is_accepted(access)
    refused = client_of(None).get("/api/v1/users/me/", HTTP_AUTHORIZATION=f"Bearer {access}")
    assert refused.json()["code"] == "account_suspended"
    alice.refresh_from_db()
    left = alice.suspended_until - timezone.now()
    assert datetime.timedelta(days=expected, minutes=-1) < left <= datetime.timedelta(days=expected)
    undo(desk, case_of(alice))
    assert post_sign_in("alice")["access"]
    alice.refresh_from_db()
    assert alice.suspended_until is None


def test_no_suspension_is_made_shorter_by_another_case(desk, other_desk, clients, alice, review):
    for thing in (alice, review):
        report(clients[0], thing)
    decide(desk, case_of(alice), "suspend", "abuse", duration="30")
    alice.refresh_from_db()
    until = alice.suspended_until
    assert "suspended for longer already" in decide(other_desk, case_of(review), "suspend", "spam", duration="7")[0]
    alice.refresh_from_db()
    assert alice.suspended_until == until
    assert not Decision.objects.filter(case=case_of(review)).exists()
    decide(other_desk, case_of(review), "suspend", "spam", duration="own", days="90")
    undo(other_desk, case_of(review))
    alice.refresh_from_db()
    assert alice.suspended_until == until


@pytest.fixture
def post_sign_in(anonymous):
    from tests.conftest import PASSWORD

    def call(name):
        answer = anonymous.post("/api/v1/auth/login/", {"username": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.content
        return answer.json()

    return call


def test_an_undone_decision_leaves_everything_as_before(desk, hidden, anonymous, as_alice, book):
    case = case_of(hidden)
    for action, ground in (("hide", "spam"), ("restore", "no_violation"), ("dismiss", "handled"), ("warn", "abuse")):
        before = case_of(hidden)
        decide(desk, case, action, ground)
        assert case_of(hidden).state == "closed"
        undo(desk, case)
        after = case_of(hidden)
        kept = ("concealed", "ground", "words", "state", "reports_count", "harm", "opened_at")
        assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept], action
        assert after.version == before.version + 2
        assert as_alice.get(f"{REVIEWS}{hidden.pk}/").json()["moderation"]["status"] == "pending"
        assert figures(anonymous, book) == (None, 0, {})
    assert Decision.objects.filter(action="undo").count() == 4
    assert texts(as_alice)[0] == "A moderator has taken a decision back: review “Emma”. The decision was a mistake."
    assert differences() == (0, [])


def test_what_reports_have_hidden_since_stays_hidden_when_a_decision_is_undone(desk, clients, review, anonymous):
    report(clients[0], review)
    case = case_of(review)
    decide(desk, case, "warn", "spam")
    for client in clients[1:4]:
        report(client, review)
    undo(desk, case)
    assert (case_of(review).concealed, case_of(review).reports_count) == ("pending", 4)
    assert anonymous.get(f"{REVIEWS}{review.pk}/").status_code == 404
    decide(desk, case, "dismiss", "no_violation")
    assert anonymous.get(f"{REVIEWS}{review.pk}/").status_code == 200
    assert differences() == (0, [])


def test_only_the_last_decision_that_stands_is_undone(desk, hidden):
    case = case_of(hidden)
    decide(desk, case, "hide", "spam")
    first = Decision.objects.get(action="hide")
    decide(desk, case, "warn", "abuse")
    body = {"undo": first.pk, "undo-version": case_of(hidden).version, "undo-ground": "mistake"}
    assert "Only the last decision" in send(desk, case, body)[0]
    undo(desk, case)
    undo(desk, case)
    assert case_of(hidden).concealed == "pending"
    assert desk.get(page_of(case)).context["last"] is None


def test_nobody_judges_themself(moira, desk, review, clients, client_of):
    Review.objects.filter(pk=review.pk).update(author=moira)
    report(clients[0], review)
    assert "somebody else must decide" in decide(desk, case_of(review), "dismiss", "no_violation")[0]
    assert not Decision.objects.exists()


def test_only_administrators_suspend_staff(desk, desk_of, staff, make_moderator, clients):
    other = make_moderator("olga")
    report(clients[0], other)
    case = case_of(other)
    assert "Only administrators" in decide(desk, case, "suspend", duration="7")[0]
    decide(desk_of(staff), case, "suspend", duration="7")
    other.refresh_from_db()
    assert other.is_suspended


def test_a_case_whose_text_went_without_a_word_is_closed(desk, review, clients):
    report(clients[0], review)
    case = case_of(review)
    body = {"version": 0, "decision": "hide", "ground": "spam"}
    Review.objects.all().delete()
    assert "It has been deleted." in desk.get(page_of(case)).content.decode()
    assert "deleted meanwhile" in send(desk, case, body)[0]
    case.refresh_from_db()
    assert case.state == "gone"


def test_staff_open_a_case_without_a_report(desk, review, as_alice):
    answer = desk.get(f"{QUEUE}about/review/{review.pk}/")
    case = case_of(review)
    assert answer["Location"] == page_of(case)
    assert case.state == "closed"
    decide(desk, case, "hide", "spam")
    assert as_alice.get(f"{REVIEWS}{review.pk}/").json()["moderation"]["status"] == "hidden"
    assert desk.get(f"{QUEUE}about/review/{10**9}/").status_code == 404
    assert desk.get(f"{QUEUE}about/comment/1/").status_code == 404


def test_a_review_hidden_before_there_were_cases_can_be_restored(desk, review, as_alice, anonymous):
    review.hide()
    assert as_alice.get(f"{REVIEWS}{review.pk}/").json()["moderation"] == {
        "status": "hidden",
        "reason": "other",
        "text": "It does not belong here.",
    }
    desk.get(f"{QUEUE}about/review/{review.pk}/")
    decide(desk, case_of(review), "restore", "mistake")
    assert anonymous.get(f"{REVIEWS}{review.pk}/").status_code == 200


def test_what_was_decided_cannot_be_changed(desk, desk_of, staff, review, clients):
    report(clients[0], review)
    decide(desk, case_of(review), "hide", "spam")
    decision = Decision.objects.get()
    client = desk_of(staff)
    for path in (f"decision/{decision.pk}/", f"opening/{Opening.objects.first().pk}/", f"case/{decision.case_id}/"):
        url = f"/admin/moderation/{path}"
        assert client.get(f"{url}change/").status_code == 200, path
        assert client.post(f"{url}delete/", {"post": "yes"}).status_code == 403
    for path in ("decision", "opening"):
        assert client.get(f"/admin/moderation/{path}/").status_code == 200
        assert client.get(f"/admin/moderation/{path}/add/").status_code == 403
    assert client.post(f"/admin/moderation/decision/{decision.pk}/change/", {"words": "x"}).status_code == 403
    assert client.get("/admin/moderation/decision/?q=alice").context["cl"].result_count == 1
