"""A club's figures: of its active members' public ratings and shown marks, of the books on its list."""

import datetime
from decimal import Decimal
from functools import partial
from statistics import pstdev

import pytest
import time_machine
from django.utils import timezone

from catalog.models import Book
from clubs.models import Club, Entry, Progress
from clubs.reading.rules import Mark, Unit
from reviews.models import Review
from tests.clubs.helpers import bring_in
from tests.reviews.helpers import differences

pytestmark = pytest.mark.django_db

NOBODY = dict.fromkeys(("0.5", "1.0", "1.5", "2.0", "2.5", "3.0", "3.5", "4.0", "4.5", "5.0"), 0)


@pytest.fixture
def stats(anonymous):
    def get(club, client=anonymous):
        answer = client.get(f"/api/v1/clubs/{club.pk}/stats/")
        assert answer.status_code == 200, answer.content
        return answer.json()

    return get


@pytest.fixture
def add_entry(club, alice):
    def add(title="Emma", *, where=club, status="reading", **fields):
        book = Book.add(by=None, title=title, authors=["Jane Austen"], **fields)
        return Entry.add(club=where, book=book, by=alice, status=status)

    return add


def read(entry, user, unit, amount, total=100, **rest):
    return Progress.set(entry=entry, by=user, mark=Mark(Unit(unit), Decimal(amount), Decimal(total)), **rest)


def test_a_club_without_anything_has_counts_of_0_and_means_of_null(stats, make_club):
    assert stats(make_club(alone=True)) == {
        **dict.fromkeys(["books_finished", "pages_read", "active_members_30d", "meetings_held"], 0),
        **dict.fromkeys(["mean_rating", "most_divisive_book", "mean_attendance", "mean_days_per_book"], None),
        **{"rating_histogram": NOBODY, "members": 1, "finished_by_month": []},
    }


def test_public_ratings_of_members_count_for_books_on_the_list(stats, club, add_entry, alice, bob, moe, charlie):
    entry = add_entry()
    other = Book.add(by=None, title="Not on the list", authors=["A"])
    Review.write(book=entry.book, by=alice, rating=9)
    Review.write(book=entry.book, by=bob, rating=6)
    Review.write(book=entry.book, by=moe, rating=1, visibility="clubs")
    Review.write(book=entry.book, by=charlie, rating=1)
    Review.write(book=other, by=alice, rating=1)
    figures = stats(club)
    assert figures["mean_rating"] == 3.75
    assert figures["rating_histogram"] == NOBODY | {"4.5": 1, "3.0": 1}
    assert differences() == (0, [])


def test_ratings_follow_whatever_happens_to_them(stats, club, add_entry, alice, bob):
    entry = add_entry()
    review = Review.write(book=entry.book, by=bob, rating=10)
    assert stats(club)["mean_rating"] == 5
    review.change(rating=4)
    assert stats(club)["mean_rating"] == 2
    review.hide()
    assert stats(club)["mean_rating"] is None
    review.restore()
    review.change(visibility="private")
    assert stats(club)["mean_rating"] is None
    review.change(visibility="public")
    assert stats(club)["mean_rating"] == 2
    review.remove()
    assert stats(club)["mean_rating"] is None
    assert differences() == (0, [])


@pytest.mark.parametrize("way", ["leaves", "removed", "banned"])
def test_readers_bring_their_ratings_and_marks_and_take_them_along(stats, club, add_entry, charlie, alice, way):
    entry = add_entry()
    Review.write(book=entry.book, by=charlie, rating=7)
    assert stats(club)["mean_rating"] is None
    row = bring_in(club, charlie)
    read(entry, charlie, "page", 120, 300)
    assert (stats(club)["mean_rating"], stats(club)["pages_read"], stats(club)["members"]) == (3.5, 120, 4)
    if way == "leaves":
        club.leave(charlie)
    elif way == "removed":
        row.remove(by=alice)
    else:
        row.change(by=alice, status="banned")
    assert (stats(club)["mean_rating"], stats(club)["pages_read"], stats(club)["members"]) == (None, 0, 3)
    assert differences() == (0, [])
    if way != "banned":
        bring_in(club, charlie)
        assert (stats(club)["mean_rating"], stats(club)["pages_read"]) == (3.5, 120)


def test_a_book_that_comes_on_the_list_has_its_ratings_at_once_and_takes_them_along(stats, club, alice, bob):
    book = Book.add(by=None, title="Emma", authors=["Jane Austen"])
    Review.write(book=book, by=bob, rating=7)
    entry = Entry.add(club=club, book=book, by=alice)
    assert stats(club)["mean_rating"] == 3.5
    entry.remove(by=alice)
    assert stats(club)["mean_rating"] is None


def test_pages_are_those_of_marks_or_a_share_of_the_catalogues(stats, club, add_entry, alice, bob, moe):
    known, unknown = add_entry(page_count=300), add_entry("No page count")
    read(known, alice, "percent", 50)
    read(known, bob, "page", 99, 410)
    read(unknown, alice, "percent", 50)
    read(unknown, bob, "page", 20, 100)
    read(known, moe, "percent", 100, hidden=True)
    assert stats(club)["pages_read"] == 150 + 99 + 20
    read(known, bob, "minutes", 100, 200)
    assert stats(club)["pages_read"] == 150 + 150 + 20
    read(known, moe, "percent", 100, hidden=False)
    assert stats(club)["pages_read"] == 150 + 150 + 300 + 20
    assert differences() == (0, [])


def test_the_most_divisive_book_has_at_least_five_ratings(stats, club, add_entry, make_user):
    tame, wild, few = add_entry("Tame"), add_entry("Wild"), add_entry("Few")
    ratings = {tame: [6, 7, 6, 7, 6], wild: [1, 10, 3, 10, 2, 9], few: [1, 10, 1, 10]}
    for entry, given in ratings.items():
        for n, rating in enumerate(given):
            user = make_user(f"r{entry.pk}x{n}")
            bring_in(club, user)
            Review.write(book=entry.book, by=user, rating=rating)
    assert stats(club)["most_divisive_book"] == {
        "id": wild.book_id,
        "title": "Wild",
        "author": "Jane Austen",
        "cover_url": None,
        "standard_deviation": round(pstdev([n / 2 for n in ratings[wild]]), 2),
        "ratings_count": 6,
    }
    wild.remove(by=club.owner)
    assert stats(club)["most_divisive_book"]["title"] == "Tame"
    tame.remove(by=club.owner)
    assert stats(club)["most_divisive_book"] is None


def test_books_are_finished_in_the_month_it_is_where_the_club_is(stats, make_club, add_entry):
    tokyo = make_club("Tokyo", timezone="Asia/Tokyo")
    entries = [add_entry(f"Book {n}", where=tokyo, status="finished") for n in range(4)]
    add_entry("Being read", where=tokyo)
    for entry, day in zip(entries, ("31T14:59", "31T15:00", "31T23:00", "01T00:00"), strict=True):
        moment = datetime.datetime.fromisoformat(f"2026-10-{day}:00+00:00")
        Entry.objects.filter(pk=entry.pk).update(finished_at=moment)
    assert stats(tokyo)["books_finished"] == 4
    assert stats(tokyo)["finished_by_month"] == [{"month": "2026-10", "count": 2}, {"month": "2026-11", "count": 2}]


def test_a_book_takes_the_days_from_its_start_to_its_end(stats, club, add_entry, alice):
    today = timezone.localdate()
    planned, until_finished, no_start, other = (add_entry(f"Book {n}", status="finished") for n in range(4))
    planned.change(by=alice, starts_on=datetime.date(2026, 2, 27), ends_on=datetime.date(2026, 3, 1))
    until_finished.change(by=alice, starts_on=today - datetime.timedelta(11))
    no_start.change(by=alice, ends_on=today)
    other.change(by=alice, status="reading", starts_on=today, ends_on=today + datetime.timedelta(500))
    assert stats(club)["mean_days_per_book"] == 6.5


def test_active_are_who_marked_or_wrote_in_the_last_30_days(stats, club, add_entry, alice, bob, moe, charlie):
    entry = add_entry()
    assert stats(club)["active_members_30d"] == 0
    read(entry, alice, "percent", 1, hidden=True)
    Review.write(book=entry.book, by=alice, rating=9, visibility="private")
    assert stats(club)["active_members_30d"] == 0
    read(entry, bob, "percent", 1)
    Review.write(book=entry.book, by=bob, rating=9)
    Review.write(book=entry.book, by=charlie, rating=9)
    assert stats(club)["active_members_30d"] == 1
    Review.write(book=entry.book, by=moe, rating=9)
    assert stats(club)["active_members_30d"] == 2
    with time_machine.travel(timezone.now() + datetime.timedelta(29, 86000)):
        assert stats(club)["active_members_30d"] == 2
        read(entry, bob, "percent", 2)
    with time_machine.travel(timezone.now() + datetime.timedelta(31)):
        assert stats(club)["active_members_30d"] == 1  # Bob's mark
    assert differences() == (0, [])


def test_what_is_hidden_or_gone_again_is_no_activity(stats, club, add_entry, alice, bob, moe):
    entry = add_entry()

    def active():
        assert differences() == (0, [])
        return stats(club)["active_members_30d"]

    read(entry, bob, "percent", 1)
    review = Review.write(book=entry.book, by=moe, rating=9)
    assert active() == 2
    read(entry, bob, "percent", 2, hidden=True)
    assert active() == 1
    for hide, show in (
        (review.hide, review.restore),
        (partial(review.change, visibility="clubs"), partial(review.change, visibility="public")),
    ):
        hide()
        assert active() == 0
        show()
        assert active() == 1
    review.remove()
    assert active() == 0
    read(entry, bob, "percent", 2, hidden=False)
    assert active() == 1
    entry.remove(by=alice)
    assert active() == 0


def test_who_comes_in_brings_the_activity_that_everybody_sees(stats, club, add_entry, charlie):
    entry = add_entry()
    Review.write(book=entry.book, by=charlie, rating=9)
    assert stats(club)["active_members_30d"] == 0
    row = bring_in(club, charlie)
    assert stats(club)["active_members_30d"] == 1
    club.leave(charlie)
    assert stats(club)["active_members_30d"] == 0
    Review.objects.get().remove()
    row.enter()
    assert stats(club)["active_members_30d"] == 0
    assert differences() == (0, [])


def test_a_private_clubs_figures_are_its_members_own(club, private_club, add_entry, stats, as_bob, as_charlie, bob):
    entry = add_entry(where=private_club)
    Review.write(book=entry.book, by=bob, rating=9)
    assert stats(private_club, as_bob)["mean_rating"] == 4.5
    assert as_charlie.get(f"/api/v1/clubs/{private_club.pk}/stats/").status_code == 404
    assert stats(club)["mean_rating"] is None


def test_an_account_that_goes_takes_its_figures_along(stats, club, add_entry, bob):
    from clubs.models import Membership

    entry = add_entry()
    Review.write(book=entry.book, by=bob, rating=9)
    read(entry, bob, "page", 10, 100)
    Membership.objects.end_all(bob)
    Review.objects.part_from(bob, anonymise=True)
    figures = stats(club)
    assert (figures["mean_rating"], figures["pages_read"], figures["members"]) == (None, 0, 2)
    assert differences() == (0, [])


def test_the_figures_take_four_queries(club, add_entry, anonymous, django_assert_num_queries):
    for n in range(3):
        add_entry(f"Book {n}", status="finished")
    # The club; its list with the books; the active members; the meetings held.
    with django_assert_num_queries(4):
        anonymous.get(f"/api/v1/clubs/{club.pk}/stats/")


def test_verify_finds_a_figure_that_is_wrong_and_mends_it(stats, club, add_entry, bob):
    entry = add_entry()
    read(entry, bob, "page", 10, 100)
    Review.write(book=entry.book, by=bob, rating=9)
    Entry.objects.update(pages=3, stars_9=7)
    assert differences()[0] == 1
    assert differences("--repair")[0] == 0
    assert (stats(club)["pages_read"], stats(club)["rating_histogram"]["4.5"]) == (10, 1)


def test_no_public_parameter_is_let_pass(anonymous, club):
    assert anonymous.get(f"/api/v1/clubs/{club.pk}/stats/?page=1").status_code == 400


def test_a_club_that_is_founded_private_counts_nowhere(alice):
    Club.found(by=alice, name="Secret", visibility="private")
    assert differences() == (0, [])
