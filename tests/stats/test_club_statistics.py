"""Statistics of a club."""

import datetime
from functools import partial
from statistics import pstdev

import pytest
import time_machine
from django.utils import timezone

from catalog.models import Book
from clubs.models import Club, Entry, Membership
from reviews.models import Review
from tests.clubs.helpers import bring_in
from tests.reviews.helpers import counter_differences
from tests.stats.helpers import set_progress

pytestmark = pytest.mark.django_db

NO_RATINGS = dict.fromkeys(("0.5", "1.0", "1.5", "2.0", "2.5", "3.0", "3.5", "4.0", "4.5", "5.0"), 0)


def test_empty_club_has_zero_counts_and_null_means(stats, make_club):
    assert stats(make_club(alone=True)) == {
        **dict.fromkeys(["books_finished", "pages_read", "active_members_30d", "meetings_held"], 0),
        **dict.fromkeys(["mean_rating", "most_divisive_book", "mean_attendance", "mean_days_per_book"], None),
        **{"rating_histogram": NO_RATINGS, "members": 1, "finished_by_month": []},
    }


def test_only_members_public_ratings_of_listed_books_count(stats, club, add_entry, alice, bob, moe, charlie):
    entry = add_entry()
    other = Book.create_book(by=None, title="Not on the list", authors=["A"])
    Review.create_review(book=entry.book, by=alice, rating=9)
    Review.create_review(book=entry.book, by=bob, rating=6)
    Review.create_review(book=entry.book, by=moe, rating=1, visibility="clubs")
    Review.create_review(book=entry.book, by=charlie, rating=1)
    Review.create_review(book=other, by=alice, rating=1)
    statistics = stats(club)
    assert statistics["mean_rating"] == 3.75
    assert statistics["rating_histogram"] == NO_RATINGS | {"4.5": 1, "3.0": 1}
    assert counter_differences() == (0, [])


def test_ratings_follow_review_changes(stats, club, add_entry, alice, bob):
    entry = add_entry()
    review = Review.create_review(book=entry.book, by=bob, rating=10)
    assert stats(club)["mean_rating"] == 5
    review.update_review(rating=4)
    assert stats(club)["mean_rating"] == 2
    review.hide()
    assert stats(club)["mean_rating"] is None
    review.restore()
    review.update_review(visibility="private")
    assert stats(club)["mean_rating"] is None
    review.update_review(visibility="public")
    assert stats(club)["mean_rating"] == 2
    review.delete_review()
    assert stats(club)["mean_rating"] is None
    assert counter_differences() == (0, [])


@pytest.mark.parametrize("way", ["leaves", "removed", "banned"])
def test_membership_changes_move_ratings_and_progress(stats, club, add_entry, charlie, alice, way):
    entry = add_entry()
    Review.create_review(book=entry.book, by=charlie, rating=7)
    assert stats(club)["mean_rating"] is None
    row = bring_in(club, charlie)
    set_progress(entry, charlie, "page", 120, 300)
    assert (stats(club)["mean_rating"], stats(club)["pages_read"], stats(club)["members"]) == (3.5, 120, 4)
    if way == "leaves":
        club.leave(charlie)
    elif way == "removed":
        row.remove(by=alice)
    else:
        row.update_membership(by=alice, status="banned")
    assert (stats(club)["mean_rating"], stats(club)["pages_read"], stats(club)["members"]) == (None, 0, 3)
    assert counter_differences() == (0, [])
    if way != "banned":
        bring_in(club, charlie)
        assert (stats(club)["mean_rating"], stats(club)["pages_read"]) == (3.5, 120)


def test_entry_changes_move_existing_ratings(stats, club, alice, bob):
    book = Book.create_book(by=None, title="Emma", authors=["Jane Austen"])
    Review.create_review(book=book, by=bob, rating=7)
    entry = Entry.add_entry(club=club, book=book, by=alice)
    assert stats(club)["mean_rating"] == 3.5
    entry.delete_entry(by=alice)
    assert stats(club)["mean_rating"] is None


def test_pages_read_use_page_progress_or_page_count(stats, club, add_entry, alice, bob, moe):
    known, unknown = add_entry(page_count=300), add_entry("No page count")
    set_progress(known, alice, "percent", 50)
    set_progress(known, bob, "page", 99, 410)
    set_progress(unknown, alice, "percent", 50)
    set_progress(unknown, bob, "page", 20, 100)
    set_progress(known, moe, "percent", 100, hidden=True)
    assert stats(club)["pages_read"] == 150 + 99 + 20
    set_progress(known, bob, "minutes", 100, 200)
    assert stats(club)["pages_read"] == 150 + 150 + 20
    set_progress(known, moe, "percent", 100, hidden=False)
    assert stats(club)["pages_read"] == 150 + 150 + 300 + 20
    assert counter_differences() == (0, [])


def test_most_divisive_book_needs_five_ratings(stats, club, add_entry, make_user):
    tame, wild, few = add_entry("Tame"), add_entry("Wild"), add_entry("Few")
    ratings = {tame: [6, 7, 6, 7, 6], wild: [1, 10, 3, 10, 2, 9], few: [1, 10, 1, 10]}
    for entry, given in ratings.items():
        for n, rating in enumerate(given):
            user = make_user(f"r{entry.pk}x{n}")
            bring_in(club, user)
            Review.create_review(book=entry.book, by=user, rating=rating)
    assert stats(club)["most_divisive_book"] == {
        "id": wild.book_id,
        "title": "Wild",
        "author": "Jane Austen",
        "cover_url": None,
        "standard_deviation": round(pstdev([n / 2 for n in ratings[wild]]), 2),
        "ratings_count": 6,
    }
    wild.delete_entry(by=club.owner)
    assert stats(club)["most_divisive_book"]["title"] == "Tame"
    tame.delete_entry(by=club.owner)
    assert stats(club)["most_divisive_book"] is None


def test_finished_by_month_uses_the_club_time_zone(stats, make_club, add_entry):
    tokyo = make_club("Tokyo", timezone="Asia/Tokyo")
    add_entry("Being read", where=tokyo)
    for n, day in enumerate(("31T14:59", "31T15:00", "31T23:00", "01T00:00")):
        with time_machine.travel(f"2026-10-{day}:00Z", tick=False):
            add_entry(f"Book {n}", where=tokyo, status="finished")
    assert stats(tokyo)["books_finished"] == 4
    expected = [{"month": "2026-10", "count": 2}, {"month": "2026-11", "count": 2}]
    assert stats(tokyo)["finished_by_month"] == expected
    # A new time zone does not move a book to another month.
    tokyo.update_club(by=tokyo.owner, timezone="America/Los_Angeles")
    assert stats(tokyo)["finished_by_month"] == expected


def test_mean_days_per_book(stats, club, add_entry, alice):
    today = timezone.localdate()
    planned, until_finished, no_start, other = (add_entry(f"Book {n}", status="finished") for n in range(4))
    planned.update_entry(by=alice, starts_on=datetime.date(2026, 2, 27), ends_on=datetime.date(2026, 3, 1))
    until_finished.update_entry(by=alice, starts_on=today - datetime.timedelta(11))
    no_start.update_entry(by=alice, ends_on=today)
    other.update_entry(by=alice, status="reading", starts_on=today, ends_on=today + datetime.timedelta(500))
    assert stats(club)["mean_days_per_book"] == 6.5


def test_progress_and_reviews_count_as_activity_for_30_days(stats, club, add_entry, alice, bob, moe, charlie):
    entry = add_entry()
    assert stats(club)["active_members_30d"] == 0
    set_progress(entry, alice, "percent", 1, hidden=True)
    Review.create_review(book=entry.book, by=alice, rating=9, visibility="private")
    assert stats(club)["active_members_30d"] == 0
    set_progress(entry, bob, "percent", 1)
    Review.create_review(book=entry.book, by=bob, rating=9)
    Review.create_review(book=entry.book, by=charlie, rating=9)
    assert stats(club)["active_members_30d"] == 1
    Review.create_review(book=entry.book, by=moe, rating=9)
    assert stats(club)["active_members_30d"] == 2
    with time_machine.travel(timezone.now() + datetime.timedelta(29, 86000)):
        assert stats(club)["active_members_30d"] == 2
        set_progress(entry, bob, "percent", 2)
    with time_machine.travel(timezone.now() + datetime.timedelta(31)):
        assert stats(club)["active_members_30d"] == 1  # Bob's progress.
    assert counter_differences() == (0, [])


def test_hidden_or_deleted_content_is_no_activity(stats, club, add_entry, alice, bob, moe):
    entry = add_entry()

    def active():
        assert counter_differences() == (0, [])
        return stats(club)["active_members_30d"]

    set_progress(entry, bob, "percent", 1)
    review = Review.create_review(book=entry.book, by=moe, rating=9)
    assert active() == 2
    set_progress(entry, bob, "percent", 2, hidden=True)
    assert active() == 1
    for hide, show in (
        (review.hide, review.restore),
        (partial(review.update_review, visibility="clubs"), partial(review.update_review, visibility="public")),
    ):
        hide()
        assert active() == 0
        show()
        assert active() == 1
    review.delete_review()
    assert active() == 0
    set_progress(entry, bob, "percent", 2, hidden=False)
    assert active() == 1
    entry.delete_entry(by=alice)
    assert active() == 0


def test_joining_adds_public_review_activity(stats, club, add_entry, charlie):
    entry = add_entry()
    Review.create_review(book=entry.book, by=charlie, rating=9)
    assert stats(club)["active_members_30d"] == 0
    row = bring_in(club, charlie)
    assert stats(club)["active_members_30d"] == 1
    club.leave(charlie)
    assert stats(club)["active_members_30d"] == 0
    Review.objects.get().delete_review()
    row.activate()
    assert stats(club)["active_members_30d"] == 0
    assert counter_differences() == (0, [])


def test_private_club_statistics_are_for_members_only(club, private_club, add_entry, stats, as_bob, as_charlie, bob):
    entry = add_entry(where=private_club)
    Review.create_review(book=entry.book, by=bob, rating=9)
    assert stats(private_club, as_bob)["mean_rating"] == 4.5
    assert as_charlie.get(f"/api/v1/clubs/{private_club.pk}/stats/").status_code == 404
    assert stats(club)["mean_rating"] is None


@pytest.mark.parametrize("way", [["reading", "finished"], ["dropped", "planned", "reading", "finished"]])
def test_finished_month_does_not_move(stats, club, add_entry, as_moe, way):
    with time_machine.travel("2026-03-31T12:00:00Z"):
        entry = add_entry(status="finished")
    march = [{"month": "2026-03", "count": 1}]
    path = f"/api/v1/clubs/{club.pk}/books/{entry.pk}/"
    for status in way:
        day = {"finished_on": "2026-03-31"} if status == "finished" else {}
        assert as_moe.patch(path, {"status": status} | day).status_code == 200
        assert stats(club)["finished_by_month"] == (march if status == "finished" else [])
        assert counter_differences() == (0, [])
    for body in ({"status": "finished"}, {"note": "!"}, {"ends_on": "2026-06-01"}, {"position": 1}):
        assert as_moe.patch(path, body).status_code == 200
        assert stats(club)["finished_by_month"] == march
    for visibility in ("private", "public"):
        club.update_club(by=None, visibility=visibility)
        assert counter_differences() == (0, [])


def test_account_deletion_updates_statistics(stats, club, add_entry, bob):
    entry = add_entry()
    Review.create_review(book=entry.book, by=bob, rating=9)
    set_progress(entry, bob, "page", 10, 100)
    Membership.objects.remove_user_everywhere(bob)
    Review.objects.detach_user(bob, anonymize=True)
    statistics = stats(club)
    assert (statistics["mean_rating"], statistics["pages_read"], statistics["members"]) == (None, 0, 2)
    assert counter_differences() == (0, [])


def test_statistics_query_count(club, add_entry, anonymous, django_assert_num_queries):
    for n in range(3):
        add_entry(f"Book {n}", status="finished")
    # Club, entries with books, active members, past meetings.
    with django_assert_num_queries(4):
        anonymous.get(f"/api/v1/clubs/{club.pk}/stats/")


def test_verify_counters_repairs_entry_counters(stats, club, add_entry, bob):
    entry = add_entry()
    set_progress(entry, bob, "page", 10, 100)
    Review.create_review(book=entry.book, by=bob, rating=9)
    Entry.objects.update(pages=3, stars_9=7)
    assert counter_differences()[0] == 1
    assert counter_differences("--repair")[0] == 0
    assert (stats(club)["pages_read"], stats(club)["rating_histogram"]["4.5"]) == (10, 1)


def test_unknown_parameter_is_rejected(anonymous, club):
    assert anonymous.get(f"/api/v1/clubs/{club.pk}/stats/?page=1").status_code == 400


def test_new_private_club_is_not_counted(alice):
    Club.create_club(by=alice, name="Secret", visibility="private")
    assert counter_differences() == (0, [])
