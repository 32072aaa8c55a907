"""The case page and the moderation dashboard."""

import datetime

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from core.audit.models import AuditEntry
from moderation.models import Case, CaseView, Decision
from tests.moderation.helpers import QUEUE, appeal, case_of, decide, page_of, report

pytestmark = pytest.mark.django_db


def test_case_page_shows_content_reports_and_appeals(as_moira, moira, clients, as_alice, review, hidden):
    appeal(as_alice, review, "I meant the film.")
    page = as_moira.get(page_of(case_of(review)))
    text = page.content.decode()
    for expected in ("Read it twice.", "Marvellous", "Emma", "Look!", "reader0", "I meant the film.", "alice", "4.5 ★"):
        assert expected in text, expected
    assert f">{case_of(review).get_status_display()}<" in "".join(text.split())
    assert [view.by for view in CaseView.objects.all()] == [moira]


def test_case_page_counts_unlisted_reports_by_reason(as_moira, clients, review, monkeypatch):
    monkeypatch.setattr("moderation.case_page.MAX_SHOWN", 1)
    for client, reason in zip(clients, ("abuse", "spam", "spam"), strict=False):
        report(client, review, reason=reason)
    page = as_moira.get(page_of(case_of(review))).content.decode()
    assert page.count("data-report") == 1
    assert "abuse 1 · spam 2" in " ".join(page.split())


def test_case_page_links_back_to_the_filtered_queue(as_moira, hidden):
    page = f"{page_of(case_of(hidden))}?_changelist_filters=queue%3Dhidden"
    response = as_moira.get(page)
    back = f'href="{QUEUE}?queue=hidden"'
    assert back in response.content.decode()
    heading = response.content.decode().partition("<h1")[2].partition("</h1>")[0]
    assert f"Review {hidden.pk}" in heading
    seen = {"version": response.context["case"].version, "digest": response.context["form"].initial["digest"]}
    done = as_moira.post(page, seen | {"decision": "hide", "reason": "spam"}, follow=True)
    assert f"Review {hidden.pk}: hidden." in done.content.decode()
    assert back in done.content.decode()


def test_form_errors_are_shown_at_the_top(as_moira, hidden):
    assert (
        "Please correct the error below."
        in as_moira.post(page_of(case_of(hidden)), {"reason": "spam"}).content.decode()
    )
    chosen = {"action": "decide_selected", "_selected_action": [case_of(hidden).pk], "comment": ""}
    assert "Please correct the error below." in as_moira.post(QUEUE, chosen).content.decode()


def test_decision_page_shows_the_previous_state(as_moira, hidden, alice):
    alice.suspend(timezone.now() + datetime.timedelta(days=3), by=None)
    decide(as_moira, case_of(hidden), "hide", "spam")
    page = as_moira.get(f"/admin/moderation/decision/{Decision.objects.latest('pk').pk}/change/").content.decode()
    assert "hidden pending review · Suspended until " in page
    assert "hidden_state" not in page


def test_ratings_are_localized(as_moira, review, clients):
    report(clients[0], review)
    portuguese = {"headers": {"accept-language": "pt-BR"}}
    assert "4,5 ★" in as_moira.get(page_of(case_of(review)), **portuguese).content.decode()
    dashboard = as_moira.get("/admin/", **portuguese).content.decode()
    assert ">4,5★<" in "".join(dashboard.split())
    assert ">4.5★<" not in "".join(dashboard.split())


def test_cases_are_named_after_their_object(as_moira, clients, review, alice, book):
    for obj in (review, alice, book):
        report(clients[0], obj)
        decide(as_moira, case_of(obj), "warn", "abuse")
    alice.update_profile(language="pt-BR")
    name = f"Resenha {review.pk}"
    portuguese = {"headers": {"accept-language": "pt-BR"}}
    for path in (page_of(case_of(review)), "/admin/moderation/decision/", "/admin/moderation/caseview/"):
        assert name in as_moira.get(path, **portuguese).content.decode(), path
        assert f"review {review.pk}" not in as_moira.get(path, **portuguese).content.decode(), path
    queue = as_moira.get(QUEUE, **portuguese).content.decode()
    for kind in ("resenha", "leitor", "livro", "clube", "mensagem"):
        assert f">{kind}<" in " ".join(queue.split()).replace("> ", ">").replace(" <", "<"), kind


@pytest.mark.parametrize(
    ("body", "bad"),
    [
        ({}, {"decision"}),
        ({"decision": "hide", "reason": "no_violation"}, {"reason"}),
        ({"decision": "restore", "reason": "abuse"}, {"decision"}),
        ({"decision": "hide", "reason": "spam", "content": "both"}, {"content"}),
        ({"decision": "hide", "reason": "other"}, {"comment"}),
        ({"decision": "suspend", "reason": "abuse"}, {"duration"}),
        ({"decision": "suspend", "reason": "abuse", "duration": "custom"}, {"duration"}),
        ({"decision": "suspend", "reason": "abuse", "duration": "custom", "days": "9999"}, {"days", "duration"}),
        ({"decision": "conceal", "reason": "abuse"}, {"decision"}),
        ({"decision": "hide", "reason": "abuse", "comment": "x" * 301}, {"comment"}),
    ],
)
def test_decision_form_reports_invalid_fields(as_moira, review, clients, body, bad):
    report(clients[0], review)
    case = case_of(review)
    response = as_moira.post(page_of(case), body)
    assert response.status_code == 200
    assert set(response.context["form"].errors) == bad
    assert not Decision.objects.exists()


def test_view_permission_does_not_allow_decisions(make_user, admin_client_of, review, clients):
    report(clients[0], review)
    case = case_of(review)
    viewer, nobody = make_user("viewer", is_staff=True), make_user("nobody", is_staff=True)
    viewer.user_permissions.set([Permission.objects.get(codename="view_case")])
    client = admin_client_of(viewer)
    assert client.get(QUEUE).status_code == 200
    assert client.get(page_of(case)).context["form"] is None
    assert client.post(page_of(case), {"decision": "hide", "reason": "spam", "version": 0}).status_code == 403
    assert client.get(f"{QUEUE}open/review/{review.pk}/").status_code == 403
    client.post(QUEUE, {"action": "decide_selected", "_selected_action": [case.pk]})
    client = admin_client_of(nobody)
    for path in (QUEUE, page_of(case), "/admin/moderation/decision/", "/admin/moderation/caseview/"):
        assert client.get(path).status_code == 403, path
    assert not Decision.objects.exists()


def test_dashboard_counts_open_cases(as_moira, make_user, admin_client_of, hidden, as_alice, clients, alice):
    report(clients[0], alice)
    appeal(as_alice, hidden)
    (panel,) = as_moira.get("/admin/").context["panels"]
    assert [(label, value) for label, value, _url in panel.rows] == [
        *(("open cases", "2"), ("oldest waiting for", "0\xa0minutes"), ("appeal waiting", "1"), ("hidden text", "1"))
    ]
    for _label, _value, url in panel.rows:
        assert as_moira.get(url).status_code == 200
    assert admin_client_of(make_user("nobody", is_staff=True)).get("/admin/").context["panels"] == []


@pytest.mark.parametrize("many", [3, 300])
def test_query_count_does_not_depend_on_size(
    as_moira, admin_client_of, make_user, alice, many, django_assert_max_num_queries
):
    users = [make_user(f"u{n}") for n in range(many)]
    Case.objects.bulk_create(
        [Case(target_type="user", target_id=user.pk, title=user.username, author=user, status="open") for user in users]
    )
    case = Case.objects.create(target_type="user", target_id=alice.pk, title="alice", author=alice, status="open")
    case.reports.model.objects.bulk_create(
        [case.reports.model(case=case, reporter=user, reason="spam") for user in users]
    )
    Decision.objects.bulk_create(
        [Decision(case=case, action="warn", reason="spam", subject=alice, by_name="x") for _ in users]
    )
    as_moira.get(QUEUE)
    # session, user, 2 × permissions, languages, count, page, authors, recent views, texts, reports, history
    with django_assert_max_num_queries(13):
        as_moira.get(QUEUE)
    # session, user, permissions; case with author, case view, object, recent views, reports, decisions with undos,
    # appeals, last decision, statistics and history of the author
    with django_assert_max_num_queries(20):
        as_moira.get(page_of(case))


def test_user_page_shows_content_cases_and_reports(as_moira, moira, clients, users, review, club, alice):
    moira.user_permissions.add(
        *Permission.objects.filter(codename__in=["view_user", "view_review", "view_membership", "view_thread"])
    )
    report(clients[0], review, reason="spam")
    decide(as_moira, case_of(review), "warn", "spam")
    page = f"/admin/accounts/user/{alice.pk}/change/"
    text = as_moira.get(page).content.decode()
    assert text.count("data-user-panel") == 6
    for expected in (f"Review {review.pk}: warned", "4.5 ★ Marvellous", "Night readers", ">English<"):
        assert expected in text, expected
    assert "password" not in text.partition('id="content-main"')[2].lower()
    reporter = as_moira.get(f"/admin/accounts/user/{users[0].pk}/change/").content.decode()
    assert f"Review {review.pk}: spam" in reporter


def test_queue_shows_texts_reasons_and_history(as_moira, clients, review, alice):
    report(clients[0], review, reason="spam")
    report(clients[1], review, reason="abuse")
    report(clients[0], alice)
    decide(as_moira, case_of(alice), "warn", "abuse")
    text = " ".join(as_moira.get(QUEUE).content.decode().split())
    for expected in ("Read it twice.", "abuse 1 · spam 1", "English", "1 warned"):
        assert expected in text, expected
    for query, count in (("reason=spam", 1), ("reason=copyright", 0), ("language=en", 1), ("language=pt", 0)):
        assert len(as_moira.get(f"{QUEUE}?{query}").context["cl"].result_list) == count, query
    assert not as_moira.get(f"{QUEUE}?age=1").context["cl"].result_list
    Case.objects.update(opened_at=timezone.now() - datetime.timedelta(days=2))
    assert len(as_moira.get(f"{QUEUE}?age=1").context["cl"].result_list) == 1
    assert not as_moira.get(f"{QUEUE}?age=3").context["cl"].result_list


def test_decide_and_next_stays_in_the_filtered_list(as_moira, clients, review, book, alice):
    for obj in (review, book, alice):
        report(clients[0], obj)
    first, second = case_of(review), case_of(alice)
    Case.objects.filter(pk=case_of(book).pk).update(language="pt")
    filters = "?_changelist_filters=language%3Den"
    skipped = as_moira.get(f"{QUEUE}{first.pk}/next/{filters}")
    assert skipped["Location"] == page_of(second) + filters
    seen = {"version": first.version, "decision": "dismiss", "_next": ""}
    decided = as_moira.post(page_of(first) + filters, seen)
    assert decided["Location"] == page_of(second) + filters
    last = as_moira.post(page_of(second) + filters, {**seen, "version": second.version})
    assert last["Location"] == f"{QUEUE}?language=en"


def test_opening_the_bulk_page_is_not_in_the_audit_log(as_moira, clients, review):
    report(clients[0], review)
    chosen = {"action": "decide_selected", "_selected_action": [case_of(review).pk]}
    page = as_moira.post(QUEUE, chosen).content.decode()
    assert "Read it twice." in page
    assert not AuditEntry.objects.filter(by_staff=True).exists()
    case = case_of(review)
    as_moira.post(QUEUE, chosen | {"decision": "hide", "reason": "", "comment": "", f"version_{case.pk}": case.version})
    assert [entry.verb for entry in AuditEntry.objects.filter(by_staff=True)] == ["moderation.hidden"]
    assert Decision.objects.get().reason == "spam"
