"""Authors can appeal each decision about their content once."""

import pytest

from activity.models import Event
from moderation.models import Appeal, Case, Decision
from tests.moderation.helpers import APPEALS, appeal, bad_fields, case_of, decide, page_of, problem, report, undo

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def one_report_hides(settings):
    settings.REPORTS_TO_HIDE = 1


def test_appeal_is_created_only_once(clients, as_alice, alice, review):
    report(clients[0], review)
    response = appeal(as_alice, review, "It is not spam.")
    assert response.status_code == 201, response.content
    body = response.json()
    assert body == {
        "id": Appeal.objects.get().pk,
        "target_type": "review",
        "target_id": review.pk,
        "text": "It is not spam.",
        "created_at": body["created_at"],
    }
    problem(appeal(as_alice, review), 409, "already_appealed")
    case = case_of(review)
    assert (case.is_appealed, case.version, case.status) == (True, 2, "open")
    assert Event.objects.get(verb="appeal.created").actor == alice


def test_appeal_by_another_user_is_rejected(clients, as_bob, review, make_user, client_of, book):
    problem(appeal(as_bob, review), 403, "not_yours")
    report(clients[0], review)
    assert bad_fields(appeal(as_bob, review)) == {"target_id": "does_not_exist"}
    absent = as_bob.post(APPEALS, {"target_type": "review", "target_id": 10**9, "text": "x"})
    assert bad_fields(absent) == {"target_id": "does_not_exist"}


def test_appeal_without_a_decision_is_rejected(as_alice, clients, review, alice, settings):
    settings.REPORTS_TO_HIDE = 2
    for obj in (review, alice):
        problem(appeal(as_alice, obj), 409, "nothing_to_appeal")
        report(clients[0], obj)
        problem(appeal(as_alice, obj), 409, "nothing_to_appeal")
    assert not Case.objects.filter(is_appealed=True).exists()


def test_new_club_owner_cannot_appeal_for_the_old_one(as_moira, clients, club, bob, as_alice, as_bob):
    report(clients[0], club)
    decide(as_moira, case_of(club), "warn")
    assert as_alice.post(f"/api/v1/clubs/{club.pk}/transfer/", {"user": bob.pk}).status_code == 200
    problem(appeal(as_bob, club), 409, "nothing_to_appeal")


def test_appeal_with_invalid_body_is_rejected(as_alice, anonymous, review):
    assert bad_fields(appeal(as_alice, review, "")) == {"text": "blank"}
    assert bad_fields(appeal(as_alice, review, "x" * 2001)) == {"text": "max_length"}
    assert bad_fields(as_alice.post(APPEALS, {})) == dict.fromkeys(["target_type", "target_id", "text"], "required")
    assert appeal(anonymous, review).status_code == 401


def test_granted_appeal_ends_the_suspension(as_moira, as_norbert, as_alice, clients, review, alice, anonymous):
    report(clients[0], review, reason="abuse")
    decide(as_moira, case_of(review), "suspend", "abuse", duration="7", content="keep")
    until = type(alice).objects.get(pk=alice.pk).suspended_until
    Appeal.objects.create(
        case=case_of(review), decision=Decision.objects.get(action="suspend"), author=alice, text="No."
    )
    case = case_of(review)
    case.refresh_queue_fields()
    labels = [tile["label"] for tile in as_norbert.get(page_of(case)).context["form"].tiles]
    assert {"Grant the appeal", "Uphold the decision"} <= {str(label) for label in labels}
    done = decide(as_norbert, case, "restore", reason="")
    assert done == [f"Review {review.pk}: visible again. alice was notified."]
    alice.refresh_from_db()
    assert alice.suspended_until is None
    assert Decision.objects.latest("pk").reason == "mistake"
    undo(as_norbert, case)
    alice.refresh_from_db()
    assert alice.suspended_until == until
