"""Authors disagree with what was decided, once for each decision."""

import pytest

from activity.models import Event
from moderation.models import Appeal, Case
from tests.moderation.helpers import APPEALS, appeal, bad_fields, case_of, decide, problem, report

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def one_report_hides(settings):
    settings.REPORTS_TO_HIDE = 1


def test_an_appeal_is_taken_once(clients, as_alice, alice, review):
    report(clients[0], review)
    answer = appeal(as_alice, review, "It is no spam.")
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert body == {
        "id": Appeal.objects.get().pk,
        "target_type": "review",
        "target_id": review.pk,
        "text": "It is no spam.",
        "created_at": body["created_at"],
    }
    problem(appeal(as_alice, review), 409, "already_appealed")
    case = case_of(review)
    assert (case.is_appealed, case.version, case.state) == (True, 2, "open")
    assert Event.objects.get(verb="appeal.created").actor == alice


def test_only_the_author_appeals(clients, as_bob, review, make_user, client_of, book):
    problem(appeal(as_bob, review), 403, "not_yours")
    report(clients[0], review)
    assert bad_fields(appeal(as_bob, review)) == {"target_id": "does_not_exist"}
    absent = as_bob.post(APPEALS, {"target_type": "review", "target_id": 10**9, "text": "x"})
    assert bad_fields(absent) == {"target_id": "does_not_exist"}


def test_without_a_decision_there_is_nothing_to_appeal(as_alice, clients, review, alice, settings):
    settings.REPORTS_TO_HIDE = 2
    for thing in (review, alice):
        problem(appeal(as_alice, thing), 409, "nothing_to_appeal")
        report(clients[0], thing)
        problem(appeal(as_alice, thing), 409, "nothing_to_appeal")
    assert not Case.objects.filter(is_appealed=True).exists()


def test_a_clubs_new_owner_does_not_appeal_for_the_old_one(desk, clients, club, bob, as_alice, as_bob):
    report(clients[0], club)
    decide(desk, case_of(club), "warn")
    assert as_alice.post(f"/api/v1/clubs/{club.pk}/transfer/", {"user": bob.pk}).status_code == 200
    problem(appeal(as_bob, club), 409, "nothing_to_appeal")


def test_bad_bodies(as_alice, anonymous, review):
    assert bad_fields(appeal(as_alice, review, "")) == {"text": "blank"}
    assert bad_fields(appeal(as_alice, review, "x" * 2001)) == {"text": "max_length"}
    assert bad_fields(as_alice.post(APPEALS, {})) == dict.fromkeys(["target_type", "target_id", "text"], "required")
    assert appeal(anonymous, review).status_code == 401
