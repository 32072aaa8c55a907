"""The pages of the staff's desk: the queue, the page of a case, what they tell and to whom."""

import datetime

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from moderation.models import Case, Decision, Opening
from tests.moderation.helpers import QUEUE, appeal, case_of, decide, page_of, report

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
