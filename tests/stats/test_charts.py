"""The admin's charts: the right numbers, and a number of queries that does not grow with the data."""

import datetime
import json

import pytest

from catalog.models import Book
from clubs.models import Entry
from core.admin import charts

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_staff(client, staff):
    client.force_login(staff)
    return client


def test_index_page_query_count(as_staff, club, django_assert_max_num_queries):
    # The session and its user (2) and their second factor; the counters; the moderators' panel (4); new users, refused
    # sign-ins and tasks (3); new reviews (2); the recent actions.
    with django_assert_max_num_queries(14):
        page = as_staff.get("/admin/")
    by_title = {str(chart.title): chart for chart in page.context["charts"]}
    assert by_title["New public clubs"].values[-1] == 1
    assert by_title["Public ratings"].is_empty
    assert "Nothing yet." in page.content.decode()
    assert '<canvas class="chart"' in page.content.decode()


def test_club_page_query_count_is_constant(as_staff, club, alice, django_assert_max_num_queries):
    for n in range(5):
        Entry.add_entry(
            club=club, book=Book.create_book(by=None, title=f"Book {n}", authors=["A"]), by=alice, status="finished"
        )
    with django_assert_max_num_queries(10):
        page = as_staff.get(f"/admin/clubs/club/{club.pk}/change/")
    members, finished, _ratings = page.context["charts"]
    assert members.values[-1] == 3
    assert finished.values[-1] == 5


def test_unknown_club_redirects(as_staff):
    assert as_staff.get("/admin/clubs/club/999999/change/").status_code == 302


def test_last_months_end_with_the_current_one():
    months = charts.last_months(datetime.date(2028, 2, 29))
    assert (len(months), months[0], months[-1]) == (12, datetime.date(2027, 3, 1), datetime.date(2028, 2, 1))
    labels = charts.monthly_chart("Any", [(month, 1) for month in months]).labels
    assert [label[1:] for label in labels] == [["2027"], *[[]] * 9, ["2028"], []]


def test_chart_data_is_for_chart_js():
    chart = charts.rating_chart("Any", {"0.5": 0, "1": 7})
    data = json.loads(chart.data)
    assert data["labels"] == [["0.5", "★"], ["1", "★"]]
    assert data["datasets"][0]["data"] == [0, 7]
    assert chart.rows == [("0.5 ★", 0), ("1 ★", 7)]
