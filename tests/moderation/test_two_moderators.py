"""Conflicts between moderators, appeals answered by another moderator, and bulk decisions."""

import datetime

import pytest
from django.utils import timezone

from moderation.models import CaseView, Decision
from tests.moderation.helpers import QUEUE, appeal, case_of, decide, page_of, problem, report, send, texts, undo
from tests.reviews.helpers import REVIEWS

pytestmark = pytest.mark.django_db


def test_second_moderator_gets_a_conflict(as_moira, as_norbert, hidden, as_alice):
    case = case_of(hidden)
    context = as_norbert.get(page_of(case)).context
    decide(as_moira, case, "hide", "spam")
    late = {"version": context["case"].version, "digest": context["form"].initial["digest"]}
    messages = send(as_norbert, case, late | {"decision": "restore", "reason": "mistake"})
    assert "moira has decided this case in the meantime" in messages[0]
    assert as_alice.get(f"{REVIEWS}{hidden.pk}/").json()["moderation"]["status"] == "hidden"
    assert Decision.objects.exclude(action="conceal").count() == 1


def test_late_form_keeps_its_comment(as_moira, as_norbert, hidden):
    case = case_of(hidden)
    context = as_norbert.get(page_of(case)).context
    late = {"version": context["case"].version, "digest": context["form"].initial["digest"]}
    decide(as_moira, case, "restore", "no_violation")
    # Nothing is pending any more, so "dismiss" is not a valid choice.
    why = {"reason": "spam", "comment": "It sells watches."}
    response = as_norbert.post(page_of(case), late | why | {"decision": "dismiss", "reason": "handled"})
    page = response.content.decode()
    assert f"Review {hidden.pk}: moira has decided this case in the meantime" in page
    assert "It sells watches." in page
    assert "dismiss is not one" not in page
    form = response.context["form"]
    assert (form.initial["version"], form.initial["decision"]) == (case_of(hidden).version, None)
    # The second attempt is accepted.
    again = {"version": form.initial["version"], "digest": form.initial["digest"], "decision": "hide"}
    assert send(as_norbert, case, again | why) == [f"Review {hidden.pk}: hidden. alice was notified."]
    # The comment of an undo is also preserved.
    last = as_norbert.get(page_of(case)).context["last_decision"]
    decide(as_moira, case, "warn", "abuse")
    sent = {"undo": last.pk, "undo-version": 0, "undo-reason": "mistake", "undo-comment": "A misunderstanding."}
    page = as_norbert.post(page_of(case), sent).content.decode()
    assert "moira has decided this case in the meantime" in page
    assert "A misunderstanding." in page


def test_dismiss_conflicts_with_automatic_hiding(as_moira, clients, review, anonymous):
    report(clients[0], review)
    body = {"version": 0, "decision": "dismiss", "reason": "no_violation"}
    for client in clients[1:3]:
        report(client, review)
    assert "Reports have hidden this in the meantime" in send(as_moira, case_of(review), body)[0]
    assert anonymous.get(f"{REVIEWS}{review.pk}/").status_code == 404


def test_decision_conflicts_with_a_new_appeal(as_moira, as_norbert, hidden, as_alice):
    decide(as_moira, case_of(hidden), "hide", "abuse")
    body = {"version": case_of(hidden).version, "decision": "restore", "reason": "mistake"}
    appeal(as_alice, hidden)
    assert "The author has appealed in the meantime" in send(as_norbert, case_of(hidden), body)[0]


def test_decision_conflicts_with_an_edited_text(as_moira, hidden, as_alice):
    case = case_of(hidden)
    context = as_moira.get(page_of(case)).context
    as_alice.patch(f"{REVIEWS}{hidden.pk}/", {"body": "Something else altogether."})
    seen = {"version": context["case"].version, "digest": context["form"].initial["digest"]}
    messages = send(as_moira, case, seen | {"decision": "restore", "reason": "no_violation"})
    assert "The text has changed in the meantime" in messages[0]
    assert case_of(hidden).hidden_state == "pending"


def test_appeal_is_answered_by_another_moderator(as_moira, as_norbert, review, clients, as_alice):
    report(clients[0], review)
    case = case_of(review)
    decide(as_moira, case, "hide", "spam")
    assert appeal(as_alice, review).status_code == 201
    assert "another moderator must answer" in decide(as_moira, case, "dismiss", "spam")[0]
    decide(as_norbert, case, "dismiss", "spam", comment="It is an advert.")
    assert texts(as_alice)[0] == (
        "A moderator has reviewed your appeal and upheld the decision: review “Emma”. It is spam. It is an advert."
    )
    assert as_alice.get(f"{REVIEWS}{review.pk}/").json()["moderation"]["status"] == "hidden"
    problem(appeal(as_alice, review), 409, "already_appealed")
    assert case_of(review).is_appealed is False
    # Undoing the answer reopens the appeal.
    undo(as_norbert, case)
    assert case_of(review).is_appealed is True
    decide(as_norbert, case, "restore", "mistake")
    assert as_alice.get(f"{REVIEWS}{review.pk}/").json()["moderation"] is None


def test_moderator_cannot_undo_the_answer_to_an_appeal(as_moira, as_norbert, review, clients, as_alice, anonymous):
    report(clients[0], review)
    case = case_of(review)
    decide(as_moira, case, "hide", "spam")
    appeal(as_alice, review)
    decide(as_norbert, case, "restore", "mistake")
    assert "another moderator must answer" in undo(as_moira, case)[0]
    assert anonymous.get(f"{REVIEWS}{review.pk}/").status_code == 200
    undo(as_norbert, case)
    assert case_of(review).is_appealed is True


def test_moderator_may_undo_an_appealed_decision(as_moira, review, clients, as_alice):
    report(clients[0], review)
    case = case_of(review)
    decide(as_moira, case, "hide", "spam")
    appeal(as_alice, review)
    undo(as_moira, case)
    after = case_of(review)
    assert (after.hidden_state, after.is_appealed, after.reports_count) == ("", False, 1)


def test_bulk_decision_handles_each_case_separately(as_moira, as_norbert, clients, review, alice, club, as_alice):
    for obj in (review, alice, club):
        report(clients[0], obj)
    cases = [case_of(obj) for obj in (review, alice, club)]
    chosen = {"action": "decide_selected", "_selected_action": [case.pk for case in cases]}
    page = as_moira.post(QUEUE, chosen)
    assert page.status_code == 200
    assert page.content.decode().count('name="version_') == 3
    decide(as_norbert, cases[2], "dismiss", "no_violation")
    # One of the cases is decided while the page is open.
    versions = {f"version_{case.pk}": case.version for case in cases}
    decide(as_norbert, cases[2], "dismiss", "no_violation")
    assert as_moira.post(QUEUE, chosen | versions | {"reason": "spam"}).context["form"].errors.keys() == {"decision"}
    response = as_moira.post(QUEUE, chosen | versions | {"decision": "warn", "reason": "spam"}, follow=True)
    messages = [str(message) for message in response.context["messages"]]
    assert "norbert has decided this case in the meantime" in messages[0]
    assert messages[1:] == ["2 cases decided."]
    assert list(Decision.objects.order_by("case").values_list("action", flat=True)) == ["warn", "warn", "dismiss"]
    assert len(texts(as_alice)) == 2


def test_bulk_decision_for_reason_other_needs_a_comment(as_moira, clients, review, alice):
    report(clients[0], review, reason="other")
    report(clients[0], alice, reason="spam")
    cases = [case_of(review), case_of(alice)]
    chosen = {"action": "decide_selected", "_selected_action": [case.pk for case in cases]}
    chosen |= {f"version_{case.pk}": case.version for case in cases} | {"decision": "warn"}
    response = as_moira.post(QUEUE, chosen, follow=True)
    messages = [str(message) for message in response.context["messages"]]
    assert "Please explain the decision." in messages[0]
    assert messages[1:] == ["1 case decided."]
    assert [decision.case_id for decision in Decision.objects.all()] == [cases[1].pk]


def test_case_shows_other_viewers(as_moira, as_norbert, clients, review):
    report(clients[0], review)
    case = case_of(review)
    assert "norbert" not in as_moira.get(page_of(case)).content.decode()
    as_norbert.get(page_of(case))
    assert "norbert opened this" in as_moira.get(page_of(case)).content.decode()
    assert "norbert" in as_moira.get(QUEUE).content.decode()
    CaseView.objects.update(created_at=timezone.now() - datetime.timedelta(minutes=16))
    assert "norbert" not in as_moira.get(QUEUE).content.decode()
