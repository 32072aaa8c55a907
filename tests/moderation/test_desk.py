"""The staff's desk: the queue, the page of a case, decisions and their undoing."""

import datetime

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from activity.models import Event
from bookbridge.api.audit.models import AuditEntry
from moderation.models import Case, Decision, Opening
from reviews.models import Review
from tests.accounts.conftest import is_accepted
from tests.moderation.helpers import QUEUE, appeal, case_of, decide, page_of, problem, report, send, texts, undo
from tests.reviews.helpers import REVIEWS, differences, figures

pytestmark = pytest.mark.django_db


def test_a_case_shows_what_a_decision_needs(desk, moira, clients, readers, as_alice, review, hidden):
    appeal(as_alice, review, "I meant the film.")
    page = desk.get(page_of(case_of(review)))
    text = page.content.decode()
    for shown in ("Read it twice.", "Marvellous", "Emma", "Look!", "reader0", "I meant the film.", "alice", "4.5 ★"):
        assert shown in text, shown
    assert [opening.by for opening in Opening.objects.all()] == [moira]


def test_a_case_counts_what_waits_by_reason_also_what_is_not_listed(desk, clients, review, monkeypatch):
    monkeypatch.setattr("moderation.desk.MOST_SHOWN", 1)
    for client, reason in zip(clients, ("abuse", "spam", "spam"), strict=False):
        report(client, review, reason=reason)
    page = desk.get(page_of(case_of(review))).content.decode()
    assert page.count("data-report") == 1
    assert "abuse 1 · spam 2" in " ".join(page.split())


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


def test_from_a_case_one_goes_back_to_the_queue_as_it_was(desk, hidden):
    page = f"{page_of(case_of(hidden))}?_changelist_filters=queue%3Dhidden"
    answer = desk.get(page)
    back = f'href="{QUEUE}?queue=hidden"'
    assert back in answer.content.decode()
    heading = answer.content.decode().partition("<h1")[2].partition("</h1>")[0]
    assert f"Review {hidden.pk}" in heading
    seen = {"version": answer.context["case"].version, "seen": answer.context["form"].initial["seen"]}
    done = desk.post(page, seen | {"decision": "hide", "ground": "spam"}, follow=True)
    assert "Done." in done.content.decode()
    assert back in done.content.decode()


def test_a_mistake_in_the_form_is_told_at_the_head_of_the_page(desk, hidden):
    assert "Please correct the error below." in desk.post(page_of(case_of(hidden)), {"ground": "spam"}).content.decode()
    chosen = {"action": "decide_together", "_selected_action": [case_of(hidden).pk], "ground": "spam"}
    assert "Please correct the error below." in desk.post(QUEUE, chosen).content.decode()


def test_a_decision_tells_in_words_how_things_were(desk, hidden, alice):
    alice.suspend(timezone.now() + datetime.timedelta(days=3), by=None)
    decide(desk, case_of(hidden), "hide", "spam")
    page = desk.get(f"/admin/moderation/decision/{Decision.objects.latest('pk').pk}/change/").content.decode()
    assert "hidden until staff look · Suspended until " in page
    assert "concealed" not in page


def test_ratings_are_written_as_the_reader_writes_numbers(desk, review, clients):
    report(clients[0], review)
    portuguese = {"headers": {"accept-language": "pt-BR"}}
    assert "4,5 ★" in desk.get(page_of(case_of(review)), **portuguese).content.decode()
    front = desk.get("/admin/", **portuguese).content.decode()
    assert ">4,5<" in "".join(front.split())
    assert ">4.5<" not in "".join(front.split())


def test_cases_are_called_by_what_they_are_about(desk, clients, review, alice, book):
    for thing in (review, alice, book):
        report(clients[0], thing)
        decide(desk, case_of(thing), "warn", "abuse")
    alice.change_profile(language="pt-BR")
    name = f"Resenha {review.pk}"
    portuguese = {"headers": {"accept-language": "pt-BR"}}
    for path in (page_of(case_of(review)), "/admin/moderation/decision/", "/admin/moderation/opening/"):
        assert name in desk.get(path, **portuguese).content.decode(), path
        assert f"review {review.pk}" not in desk.get(path, **portuguese).content.decode(), path
    queue = desk.get(QUEUE, **portuguese).content.decode()
    for kind in ("resenha", "leitor", "livro", "clube", "mensagem"):
        assert f">{kind}<" in " ".join(queue.split()).replace("> ", ">").replace(" <", "<"), kind


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


@pytest.mark.parametrize(
    ("body", "bad"),
    [
        ({}, {"decision", "ground"}),
        ({"decision": "hide", "ground": "no_violation"}, {"ground"}),
        ({"decision": "restore", "ground": "abuse"}, {"decision"}),
        ({"decision": "hide", "ground": "other"}, {"words"}),
        ({"decision": "suspend", "ground": "abuse"}, {"duration"}),
        ({"decision": "suspend", "ground": "abuse", "duration": "own"}, {"duration"}),
        ({"decision": "suspend", "ground": "abuse", "duration": "own", "days": "9999"}, {"days", "duration"}),
        ({"decision": "conceal", "ground": "abuse"}, {"decision"}),
        ({"decision": "hide", "ground": "abuse", "words": "x" * 301}, {"words"}),
    ],
)
def test_what_is_missing_is_said_in_the_form(desk, review, clients, body, bad):
    report(clients[0], review)
    case = case_of(review)
    answer = desk.post(page_of(case), body)
    assert answer.status_code == 200
    assert set(answer.context["form"].errors) == bad
    assert not Decision.objects.exists()


def test_a_case_whose_text_went_without_a_word_is_closed(desk, review, clients):
    report(clients[0], review)
    case = case_of(review)
    body = {"version": 0, "decision": "hide", "ground": "spam"}
    Review.objects.all().delete()
    assert "It has been deleted." in desk.get(page_of(case)).content.decode()
    assert "deleted meanwhile" in send(desk, case, body)[0]
    case.refresh_from_db()
    assert case.state == "gone"


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


def test_the_queue_shows_what_waits_and_finds_the_rest(desk, clients, review, alice, book):
    for thing in (review, alice, book):
        report(clients[0], thing)
    decide(desk, case_of(book), "dismiss", "handled")

    def found(query):
        return {case.target_type for case in desk.get(f"{QUEUE}?{query}").context["cl"].result_list}

    assert found("") == {"review", "user"}
    assert found("queue=closed") == {"book"}
    assert found("queue=all") == {"review", "user", "book"}
    assert found("queue=appealed") == found("queue=hidden") == found("queue=gone") == set()
    assert found("q=alice") == {"review", "user"}
    assert found(f"q=book:{book.pk}") == {"book"}
    assert found("q=nobody") == found("q=%25") == set()
    assert found("target_type=user") == {"user"}
    for column in range(1, 8):
        assert desk.get(f"{QUEUE}?o={column}").status_code == 200


def test_who_else_is_at_a_case_is_seen(desk, other_desk, clients, review):
    report(clients[0], review)
    case = case_of(review)
    assert "norbert" not in desk.get(page_of(case)).content.decode()
    other_desk.get(page_of(case))
    assert "norbert opened this" in desk.get(page_of(case)).content.decode()
    assert "norbert" in desk.get(QUEUE).content.decode()
    Opening.objects.update(at=timezone.now() - datetime.timedelta(minutes=16))
    assert "norbert" not in desk.get(QUEUE).content.decode()


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


def test_who_may_only_look_decides_nothing(make_user, desk_of, review, clients):
    report(clients[0], review)
    case = case_of(review)
    looker, nobody = make_user("looker", is_staff=True), make_user("nobody", is_staff=True)
    looker.user_permissions.set([Permission.objects.get(codename="view_case")])
    client = desk_of(looker)
    assert client.get(QUEUE).status_code == 200
    assert client.get(page_of(case)).context["form"] is None
    assert client.post(page_of(case), {"decision": "hide", "ground": "spam", "version": 0}).status_code == 403
    assert client.get(f"{QUEUE}about/review/{review.pk}/").status_code == 403
    client.post(QUEUE, {"action": "decide_together", "_selected_action": [case.pk]})
    client = desk_of(nobody)
    for path in (QUEUE, page_of(case), "/admin/moderation/decision/", "/admin/moderation/opening/"):
        assert client.get(path).status_code == 403, path
    assert not Decision.objects.exists()


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


def test_the_front_page_counts_what_waits(desk, make_user, desk_of, hidden, as_alice, clients, alice):
    report(clients[0], alice)
    appeal(as_alice, hidden)
    (panel,) = desk.get("/admin/").context["panels"]
    assert [value for _label, value, _url in panel.rows] == ["2", "0\xa0minutes", "1", "1"]
    for _label, _value, url in panel.rows:
        assert desk.get(url).status_code == 200
    assert desk_of(make_user("nobody", is_staff=True)).get("/admin/").context["panels"] == []


@pytest.mark.parametrize("many", [3, 300])
def test_pages_take_as_many_queries_at_any_size(desk, desk_of, make_user, alice, many, django_assert_max_num_queries):
    users = [make_user(f"u{n}") for n in range(many)]
    Case.objects.bulk_create(
        [Case(target_type="user", target_id=user.pk, title=user.username, author=user, state="open") for user in users]
    )
    case = Case.objects.create(target_type="user", target_id=alice.pk, title="alice", author=alice, state="open")
    case.reports.model.objects.bulk_create(
        [case.reports.model(case=case, reporter=user, reason="spam") for user in users]
    )
    Decision.objects.bulk_create(
        [Decision(case=case, action="warn", ground="spam", subject=alice, by_name="x") for _ in users]
    )
    desk.get(QUEUE)
    # session, user, two of permissions; the count, the page, authors, who looks
    with django_assert_max_num_queries(9):
        desk.get(QUEUE)
    # session, user, permissions; case and author, the opening, the thing, who looks, reports, decisions and what undid
    # them, appeals, the last one, the author's figures and history
    with django_assert_max_num_queries(20):
        desk.get(page_of(case))
