"""Charts in the admin."""

import datetime

import pytest

from bookbridge.api import charts
from catalog.models import Book
from clubs.models import Entry

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_staff(client, staff):
    client.force_login(staff)
    return client


def test_admin_index_query_count(as_staff, club, django_assert_max_num_queries):
    # Session and user (2), second factor; totals; moderation queue (4); new users, failed logins and tasks for
    # administrators (3); new reviews (2); recent actions.
    with django_assert_max_num_queries(14):
        page = as_staff.get("/admin/")
    shown = {str(chart.title): chart for chart in page.context["charts"]}
    assert [bar.value for bar in shown["New public clubs"].bars][-1] == "1"
    assert shown["Public ratings"].is_empty
    assert "Nothing yet." in page.content.decode()


def test_club_page_query_count(as_staff, club, alice, django_assert_max_num_queries):
    for n in range(5):
        Entry.add(club=club, book=Book.add(by=None, title=f"Book {n}", authors=["A"]), by=alice, status="finished")
    with django_assert_max_num_queries(10):
        page = as_staff.get(f"/admin/clubs/club/{club.pk}/change/")
    members, finished, _ratings = page.context["charts"]
    assert [bar.value for bar in members.bars][-1] == "3"
    assert [bar.value for bar in finished.bars][-1] == "5"


def test_missing_club_redirects(as_staff):
    assert as_staff.get("/admin/clubs/club/999999/change/").status_code == 302


def test_last_months_ends_with_the_current_month():
    months = charts.last_months(datetime.date(2028, 2, 29))
    assert (len(months), months[0], months[-1]) == (12, datetime.date(2027, 3, 1), datetime.date(2028, 2, 1))
    shown = list(charts.by_month("Any", [(month, 1) for month in months]).bars)
    assert [bar.sublabel for bar in shown] == ["2027", *[""] * 9, "2028", ""]


def test_bar_heights_fill_the_chart():
    bars = list(charts.Chart("Any", [("a", "", 0), ("b", "", 1), ("c", "", 1_000_000)]).bars)
    assert [bar.height for bar in bars] == [0, 2, charts.HEIGHT - charts.FOOT - charts.HEAD]
    assert all(bar.y + bar.height == charts.HEIGHT - charts.FOOT for bar in bars)


@pytest.mark.parametrize(("value", "words"), [(999, "999"), (1_500, "1.5k"), (56_789, "57k"), (7_800_000, "7.8M")])
def test_large_numbers_are_abbreviated(value, words):
    assert charts.short(value) == words
