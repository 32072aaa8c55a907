"""The admin's pictures: of the right figures, in few queries however much there is."""

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


def test_the_front_page_takes_few_queries(as_staff, club, django_assert_max_num_queries):
    # The session and who it is (2) and their second factor; the totals; what moderators have to do (4); new readers,
    # refusals and jobs for administrators (3); new reviews (2); what was done here last.
    with django_assert_max_num_queries(14):
        page = as_staff.get("/admin/")
    shown = {str(chart.title): chart for chart in page.context["charts"]}
    assert [bar.value for bar in shown["New public clubs"].bars][-1] == "1"
    assert shown["Public ratings"].is_empty
    assert "Nothing yet." in page.content.decode()


def test_a_clubs_page_takes_as_many_queries_whatever_is_in_it(as_staff, club, alice, django_assert_max_num_queries):
    for n in range(5):
        Entry.add(club=club, book=Book.add(by=None, title=f"Book {n}", authors=["A"]), by=alice, status="finished")
    with django_assert_max_num_queries(10):
        page = as_staff.get(f"/admin/clubs/club/{club.pk}/change/")
    members, finished, _ratings = page.context["charts"]
    assert [bar.value for bar in members.bars][-1] == "3"
    assert [bar.value for bar in finished.bars][-1] == "5"


def test_a_club_that_is_not_there_has_no_page(as_staff):
    assert as_staff.get("/admin/clubs/club/999999/change/").status_code == 302


def test_a_year_of_months_ends_with_this_one():
    months = charts.last_months(datetime.date(2028, 2, 29))
    assert (len(months), months[0], months[-1]) == (12, datetime.date(2027, 3, 1), datetime.date(2028, 2, 1))
    shown = list(charts.by_month("Any", [(month, 1) for month in months]).bars)
    assert [bar.sublabel for bar in shown] == ["2027", *[""] * 9, "2028", ""]


def test_the_highest_bar_fills_the_room_and_the_lowest_can_be_seen():
    bars = list(charts.Chart("Any", [("a", "", 0), ("b", "", 1), ("c", "", 1_000_000)]).bars)
    assert [bar.height for bar in bars] == [0, 2, charts.HEIGHT - charts.FOOT - charts.HEAD]
    assert all(bar.y + bar.height == charts.HEIGHT - charts.FOOT for bar in bars)


@pytest.mark.parametrize(("value", "words"), [(999, "999"), (1_500, "1.5k"), (56_789, "57k"), (7_800_000, "7.8M")])
def test_great_numbers_are_short(value, words):
    assert charts.short(value) == words
