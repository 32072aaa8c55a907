"""The moderation queue: its filters and its order."""

import pytest

from moderation.models import Case, Report
from tests.moderation.helpers import QUEUE, case_of, decide, report

pytestmark = pytest.mark.django_db


def test_queue_shows_open_cases_and_filters_others(as_moira, clients, review, alice, book):
    for obj in (review, alice, book):
        report(clients[0], obj)
    decide(as_moira, case_of(book), "dismiss", "handled")

    def found(query):
        return {case.target_type for case in as_moira.get(f"{QUEUE}?{query}").context["cl"].result_list}

    assert found("") == {"review", "user"}
    assert found("queue=closed") == {"book"}
    assert found("queue=all") == {"review", "user", "book"}
    assert found("queue=appealed") == found("queue=hidden") == found("queue=deleted") == set()
    assert found("q=alice") == {"review", "user"}
    assert found(f"q=book:{book.pk}") == {"book"}
    assert found("q=nobody") == found("q=%25") == set()
    assert found("target_type=user") == {"user"}
    for column in range(1, 8):
        assert as_moira.get(f"{QUEUE}?o={column}").status_code == 200


def test_queue_starts_with_the_most_severe_case(clients, review, club, alice, book):
    for client, obj, reason in [
        (clients[0], book, "other"),
        (clients[0], club, "spam"),
        (clients[1], club, "spam"),
        (clients[0], alice, "abuse"),
        (clients[0], review, "spam"),
    ]:
        report(client, obj, reason=reason)
    queue = Case.objects.open().order_by("-severity", "opened_at", "id")
    assert [case.target_type for case in queue] == ["user", "club", "review", "book"]


def test_queue_ranks_cases_with_more_reports_first(as_moira, clients, review, club):
    report(clients[0], review, reason="spam")
    for client in clients[:2]:
        report(client, club, reason="spam")
    # Without the number of reports, the review would come first because it is older.
    queue = as_moira.get(QUEUE).context["cl"].result_list
    assert [(case.target_type, case.reports_count) for case in queue] == [("club", 2), ("review", 1)]


def test_queue_ranks_the_reason_above_the_number_of_reports(as_moira, clients, review, book):
    report(clients[0], book, reason="other")
    report(clients[0], review, reason="spam")
    case = case_of(book)
    Report.objects.bulk_create(Report(case=case, reason="other") for _ in range(20))
    case.refresh_queue_fields()
    queue = as_moira.get(QUEUE).context["cl"].result_list
    assert [case.target_type for case in queue] == ["review", "book"]
