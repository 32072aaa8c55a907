"""Statistics of the current user."""

from decimal import Decimal

import pytest
import time_machine

from clubs.models import Club, Entry, Progress
from clubs.reading.choices import ReadingPosition, Unit
from reviews.models import Review
from stats.user_statistics import UserStatistics

pytestmark = pytest.mark.django_db

STATS = "/api/v1/users/me/stats/"


def set_progress(entry, user, unit, amount, total=100, **rest):
    progress = Progress.set_progress(
        entry=entry, by=user, position=ReadingPosition(Unit(unit), Decimal(amount), Decimal(total)), **rest
    )
    return Progress.objects.filter(pk=progress.pk)


def test_statistics_of_a_new_user(as_charlie):
    statistics = as_charlie.get(STATS).json()
    assert set(statistics.pop("rating_histogram").values()) == {0}
    assert statistics == {"books_finished_by_year": [], "pages_read": 0, "mean_rating": None, "reviews": 0, "clubs": 0}


def test_own_reviews_count_regardless_of_visibility(as_alice, as_bob, alice, add_book):
    Review.create_review(book=add_book("A"), by=alice, rating=10)
    Review.create_review(book=add_book("B"), by=alice, rating=5, visibility="private")
    Review.create_review(book=add_book("C"), by=alice, rating=None, body="Words.").hide()
    statistics = as_alice.get(STATS).json()
    assert (statistics["reviews"], statistics["mean_rating"], statistics["rating_histogram"]["2.5"]) == (3, 3.75, 1)
    assert as_bob.get(STATS).json()["reviews"] == 0


def test_book_read_in_two_clubs_counts_once(as_alice, alice, club, add_book):
    other = Club.create_club(by=alice, name="Secret", visibility="private")
    book = add_book(page_count=200)
    entries = [Entry.add_entry(club=where, book=book, by=alice, status="reading") for where in (club, other)]
    set_progress(entries[0], alice, "percent", 100)
    set_progress(entries[1], alice, "page", 30, 250)
    statistics = as_alice.get(STATS).json()
    assert (statistics["pages_read"], statistics["clubs"]) == (200, 2)
    assert [row["count"] for row in statistics["books_finished_by_year"]] == [1]
    set_progress(entries[0], alice, "percent", 100, hidden=True)
    assert as_alice.get(STATS).json()["books_finished_by_year"] == []
    assert as_alice.get(STATS).json()["pages_read"] == 30


def test_years_follow_the_time_zone_of_the_user(as_alice, alice, club, add_book):
    alice.update_profile(timezone="America/Sao_Paulo")
    for title, moment in (("A", "2026-01-01T02:59:00Z"), ("B", "2026-01-01T03:00:00Z")):
        entry = Entry.add_entry(club=club, book=add_book(title), by=alice, status="reading")
        with time_machine.travel(moment, tick=False):
            set_progress(entry, alice, "percent", 100)
    expected = [{"year": 2025, "count": 1}, {"year": 2026, "count": 1}]
    assert as_alice.get(STATS).json()["books_finished_by_year"] == expected
    alice.update_profile(timezone="Asia/Tokyo")
    assert as_alice.get(STATS).json()["books_finished_by_year"] == expected


def test_statistics_take_five_queries(as_alice, club, django_assert_num_queries):
    as_alice.get(STATS)
    # session; readings; progress with books; reviews by rating; clubs
    with django_assert_num_queries(5):
        as_alice.get(STATS)


def test_year_of_a_book_stays_when_100_percent_is_sent_again(alice, club, add_book):
    entry = Entry.add_entry(club=club, book=add_book("A"), by=alice, status="reading")
    years = []
    for day, percent in (("2024-12-31", 100), ("2025-01-02", 100), ("2025-03-01", 40), ("2026-02-01", 100)):
        with time_machine.travel(f"{day}T12:00:00Z", tick=False):
            set_progress(entry, alice, "percent", percent)
        years.append([row["year"] for row in UserStatistics(alice).books_finished_by_year])
    assert years == [[2024], [2024], [], [2026]]
