"""The staff's desk with several at it: nobody overrules others unseen, and appeals are answered by others."""

import datetime

import pytest
from django.utils import timezone

from moderation.models import Decision, Opening
from tests.moderation.helpers import QUEUE, appeal, case_of, decide, page_of, problem, report, send, texts, undo
from tests.reviews.helpers import REVIEWS

pytestmark = pytest.mark.django_db


def test_the_second_of_two_moderators_is_told(desk, other_desk, hidden, as_alice):
    case = case_of(hidden)
    opened = other_desk.get(page_of(case)).context
    decide(desk, case, "hide", "spam")
    late = {"version": opened["case"].version, "seen": opened["form"].initial["seen"]}
    told = send(other_desk, case, late | {"decision": "restore", "ground": "mistake"})
    assert "moira has decided meanwhile" in told[0]
    assert as_alice.get(f"{REVIEWS}{hidden.pk}/").json()["moderation"]["status"] == "hidden"
    assert Decision.objects.exclude(action="conceal").count() == 1


def test_what_was_written_too_late_is_kept_beside_what_has_happened(desk, other_desk, hidden):
    case = case_of(hidden)
    opened = other_desk.get(page_of(case)).context
    late = {"version": opened["case"].version, "seen": opened["form"].initial["seen"]}
    decide(desk, case, "restore", "no_violation")
    # There is nothing to dismiss any more, and so no such choice.
    why = {"ground": "spam", "words": "It sells watches."}
    answer = other_desk.post(page_of(case), late | why | {"decision": "dismiss", "ground": "handled"})
    page = answer.content.decode()
    assert f"Review {hidden.pk}: moira has decided meanwhile" in page
    assert "It sells watches." in page
    assert "dismiss is not one" not in page
    shown = answer.context["form"]
    assert (shown.initial["version"], shown.initial["decision"]) == (case_of(hidden).version, None)
    # Having looked, they decide.
    again = {"version": shown.initial["version"], "seen": shown.initial["seen"], "decision": "hide"}
    assert send(other_desk, case, again | why) == ["Done. Its author is told, where it concerns them."]
    # Nor are the words of an undoing lost.
    last = other_desk.get(page_of(case)).context["last"]
    decide(desk, case, "warn", "abuse")
    sent = {"undo": last.pk, "undo-version": 0, "undo-ground": "mistake", "undo-words": "A misunderstanding."}
    page = other_desk.post(page_of(case), sent).content.decode()
    assert "moira has decided meanwhile" in page
    assert "A misunderstanding." in page


def test_what_reports_have_hidden_meanwhile_is_not_dismissed_unseen(desk, clients, review, anonymous):
    report(clients[0], review)
    order = {"version": 0, "decision": "dismiss", "ground": "no_violation"}
    for client in clients[1:3]:
        report(client, review)
    assert "Readers’ reports have hidden it meanwhile" in send(desk, case_of(review), order)[0]
    assert anonymous.get(f"{REVIEWS}{review.pk}/").status_code == 404


def test_an_appeal_that_came_meanwhile_is_told_as_one(desk, other_desk, hidden, as_alice):
    decide(desk, case_of(hidden), "hide", "abuse")
    order = {"version": case_of(hidden).version, "decision": "restore", "ground": "mistake"}
    appeal(as_alice, hidden)
    assert "Its author has appealed meanwhile" in send(other_desk, case_of(hidden), order)[0]


def test_nobody_decides_about_a_text_that_they_have_not_seen(desk, hidden, as_alice):
    case = case_of(hidden)
    opened = desk.get(page_of(case)).context
    as_alice.patch(f"{REVIEWS}{hidden.pk}/", {"body": "Something else altogether."})
    seen = {"version": opened["case"].version, "seen": opened["form"].initial["seen"]}
    told = send(desk, case, seen | {"decision": "restore", "ground": "no_violation"})
    assert "The text has changed meanwhile" in told[0]
    assert case_of(hidden).concealed == "pending"


def test_an_appeal_is_answered_by_somebody_else(desk, other_desk, review, clients, as_alice):
    report(clients[0], review)
    case = case_of(review)
    decide(desk, case, "hide", "spam")
    assert appeal(as_alice, review).status_code == 201
    assert "somebody else must answer" in decide(desk, case, "dismiss", "spam")[0]
    decide(other_desk, case, "dismiss", "spam", words="It is an advert.")
    assert texts(as_alice)[0] == (
        "A moderator has looked at it, and the decision stands: review “Emma”. It is spam. It is an advert."
    )
    assert as_alice.get(f"{REVIEWS}{review.pk}/").json()["moderation"]["status"] == "hidden"
    problem(appeal(as_alice, review), 409, "already_appealed")
    assert case_of(review).is_appealed is False
    # What nobody answers any more can be taken back, and then waits again.
    undo(other_desk, case)
    assert case_of(review).is_appealed is True
    decide(other_desk, case, "restore", "mistake")
    assert as_alice.get(f"{REVIEWS}{review.pk}/").json()["moderation"] is None


def test_who_was_appealed_against_does_not_take_the_answer_back(desk, other_desk, review, clients, as_alice, anonymous):
    report(clients[0], review)
    case = case_of(review)
    decide(desk, case, "hide", "spam")
    appeal(as_alice, review)
    decide(other_desk, case, "restore", "mistake")
    assert "somebody else must answer" in undo(desk, case)[0]
    assert anonymous.get(f"{REVIEWS}{review.pk}/").status_code == 200
    undo(other_desk, case)
    assert case_of(review).is_appealed is True


def test_who_decided_may_take_it_back_and_so_answers_the_appeal(desk, review, clients, as_alice):
    report(clients[0], review)
    case = case_of(review)
    decide(desk, case, "hide", "spam")
    appeal(as_alice, review)
    undo(desk, case)
    after = case_of(review)
    assert (after.concealed, after.is_appealed, after.reports_count) == ("", False, 1)


def test_several_are_decided_together_each_by_itself(desk, other_desk, clients, review, alice, club, as_alice):
    for thing in (review, alice, club):
        report(clients[0], thing)
    cases = [case_of(thing) for thing in (review, alice, club)]
    chosen = {"action": "decide_together", "_selected_action": [case.pk for case in cases]}
    page = desk.post(QUEUE, chosen)
    assert page.status_code == 200
    assert page.content.decode().count('name="version_') == 3
    decide(other_desk, cases[2], "dismiss", "no_violation")
    # One of them is decided while the page is open.
    versions = {f"version_{case.pk}": case.version for case in cases}
    decide(other_desk, cases[2], "dismiss", "no_violation")
    assert desk.post(QUEUE, chosen | versions | {"ground": "spam"}).context["form"].errors.keys() == {"decision"}
    answer = desk.post(QUEUE, chosen | versions | {"decision": "warn", "ground": "spam"}, follow=True)
    told = [str(message) for message in answer.context["messages"]]
    assert "norbert has decided meanwhile" in told[0]
    assert told[1:] == ["2 cases decided."]
    assert list(Decision.objects.order_by("case").values_list("action", flat=True)) == ["warn", "warn", "dismiss"]
    assert len(texts(as_alice)) == 2


def test_who_else_is_at_a_case_is_seen(desk, other_desk, clients, review):
    report(clients[0], review)
    case = case_of(review)
    assert "norbert" not in desk.get(page_of(case)).content.decode()
    other_desk.get(page_of(case))
    assert "norbert opened this" in desk.get(page_of(case)).content.decode()
    assert "norbert" in desk.get(QUEUE).content.decode()
    Opening.objects.update(at=timezone.now() - datetime.timedelta(minutes=16))
    assert "norbert" not in desk.get(QUEUE).content.decode()
