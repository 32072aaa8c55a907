"""Statistics of the platform, which count public data only."""

import datetime

import pytest

from catalog.models import Book
from clubs.models import Club, Entry
from reviews.models import Review
from tests.clubs.helpers import bring_in
from tests.reviews.helpers import bad_parameters, counter_differences

pytestmark = pytest.mark.django_db

STATS = "/api/v1/stats/"


@pytest.fixture
def stats(anonymous):
    """Request the statistics with query parameters."""

    def get(**parameters):
        response = anonymous.get(STATS, parameters)
        assert response.status_code == 200, response.content
        return response.json()

    return get


@pytest.fixture
def club(alice, bob):
    """Alice's club, with Bob as a member and no other users."""
    club = Club.create_club(by=alice, name="Night readers")
    bring_in(club, bob)
    return club


@pytest.fixture
def rate(make_user):
    """Rate a book by new users, one per rating."""

    def write(book, *half_stars, **fields):
        for rating in half_stars:
            Review.create_review(book=book, by=make_user(f"rater{Review.objects.count()}"), rating=rating, **fields)

    return write


def add_finished(club, book, by):
    return Entry.add_entry(club=club, book=book, by=by, status="finished")


def test_statistics_of_an_empty_platform(stats):
    statistics = stats()
    assert datetime.datetime.fromisoformat(statistics.pop("as_of")).tzinfo
    assert set(statistics.pop("rating_histogram").values()) == {0}
    assert statistics == {
        **dict.fromkeys(["users", "clubs", "books", "reviews"], 0),
        **dict.fromkeys(["mean_books_finished_per_club", "mean_rating"], None),
        **{"top_rated_books": [], "most_read_books": []},
    }


def test_statistics_count_every_model(stats, alice, bob, book, add_book, club, rate):
    add_book("Persuasion")
    Review.create_review(book=book, by=alice, rating=9)
    Review.create_review(book=book, by=bob, rating=None, body="Long.")
    statistics = stats()
    assert [statistics[name] for name in ("users", "clubs", "books", "reviews")] == [2, 1, 2, 2]
    assert statistics["mean_rating"] == 4.5
    assert statistics["rating_histogram"]["4.5"] == 1
    assert sum(statistics["rating_histogram"].values()) == 1


def test_deleted_objects_are_not_counted(stats, alice, add_book, staff):
    book = add_book("Gone", isbn13="9780306406157")
    review = Review.create_review(book=book, by=alice, rating=9)
    review.delete_review()
    book.delete_book()
    club = Club.create_club(by=alice, name="Gone")
    club.delete_club(by=alice)
    statistics = stats()
    assert [statistics[name] for name in ("users", "clubs", "books", "reviews")] == [2, 0, 0, 0]
    assert counter_differences() == (0, [])


def test_deactivated_account_is_not_counted(stats, alice, staff, client):
    client.force_login(staff)
    url = f"/admin/accounts/user/{alice.pk}/change/"
    form = client.get(url).context["adminform"].form
    data = {name: value for name, value in form.initial.items() if value not in (None, False) and name != "password"}
    data |= {"joined_at_0": "2026-01-01", "joined_at_1": "00:00", "groups": []}
    assert client.post(url, {**data, "is_active": "on"}).status_code == 302
    assert stats()["users"] == 2
    data.pop("is_active")
    assert client.post(url, data).status_code == 302
    assert stats()["users"] == 1
    assert counter_differences() == (0, [])


def test_private_data_is_not_counted(stats, alice, bob, book):
    secret = Club.create_club(by=alice, name="Secret", visibility="private")
    add_finished(secret, book, alice)
    Review.create_review(book=book, by=alice, rating=2, visibility="private")
    Review.create_review(book=book, by=bob, rating=4, visibility="clubs")
    statistics = stats(min_ratings=1)
    assert [statistics[name] for name in ("clubs", "reviews", "mean_rating")] == [0, 0, None]
    assert statistics["mean_books_finished_per_club"] is None
    assert (statistics["top_rated_books"], statistics["most_read_books"]) == ([], [])
    Club.create_club(by=bob, name="Open")
    assert stats()["mean_books_finished_per_club"] == 0


def test_mean_finished_books_covers_all_public_clubs(stats, alice, book, add_book):
    clubs = [Club.create_club(by=alice, name=f"Club {n}") for n in range(3)]
    add_finished(clubs[0], book, alice)
    entry = add_finished(clubs[0], add_book("Persuasion"), alice)
    assert stats()["mean_books_finished_per_club"] == 0.67
    entry.update_entry(by=alice, status="reading")
    assert stats()["mean_books_finished_per_club"] == 0.33
    clubs[0].update_club(by=alice, visibility="private")
    assert stats()["mean_books_finished_per_club"] == 0
    clubs[0].update_club(by=alice, visibility="public")
    assert stats()["mean_books_finished_per_club"] == 0.33
    clubs[0].delete_club(by=alice)
    assert stats()["mean_books_finished_per_club"] == 0
    assert counter_differences() == (0, [])


def test_top_rated_books_have_enough_ratings(stats, add_book, rate):
    rare, good, better, tied = (add_book(title) for title in ("Few", "Good", "Better", "Same"))
    rate(rare, 10)
    rate(good, 8, 8)
    rate(better, 9, 9)
    rate(tied, 9, 9, 9)
    assert stats()["top_rated_books"] == []
    best = stats(min_ratings=2)["top_rated_books"]
    assert [row["book"]["title"] for row in best] == ["Same", "Better", "Good"]
    assert best[0] == {
        "book": {"id": tied.pk, "title": "Same", "author": "Jane Austen", "cover_url": None},
        "average_rating": 4.5,
        "ratings_count": 3,
    }
    assert stats(min_ratings=1)["top_rated_books"][0]["book"]["title"] == "Few"
    assert [row["book"]["title"] for row in stats(min_ratings=3)["top_rated_books"]] == ["Same"]


@pytest.mark.parametrize("value", ["0", "-1", "x", "1.5", "100001", "9" * 30, "", "1e2", "٣"])
def test_invalid_min_ratings_is_rejected(anonymous, value):
    assert bad_parameters(anonymous.get(STATS, {"min_ratings": value})) == {"min_ratings"}


def test_most_read_books_are_ordered_by_clubs(stats, alice, add_book):
    often, once, _never = add_book("Often"), add_book("Once"), add_book("Never")
    for n in range(2):
        add_finished(Club.create_club(by=alice, name=f"Club {n}"), often, alice)
    add_finished(Club.create_club(by=alice, name="Other"), once, alice)
    read = stats()["most_read_books"]
    assert [(row["book"]["id"], row["clubs_finished"]) for row in read] == [(often.pk, 2), (once.pk, 1)]


def test_book_lists_have_at_most_ten_books(stats, alice, add_book, rate):
    club = Club.create_club(by=alice, name="Many")
    for n in range(12):
        book = add_book(f"Book {n}")
        add_finished(club, book, alice)
        rate(book, 5)
    statistics = stats(min_ratings=1)
    assert len(statistics["top_rated_books"]) == len(statistics["most_read_books"]) == 10


def test_statistics_take_three_queries(anonymous, book, django_assert_num_queries):
    # totals; top rated books; most read books
    with django_assert_num_queries(3):
        anonymous.get(STATS)


def test_verify_counters_repairs_a_wrong_total(stats, book, alice):
    Review.create_review(book=book, by=alice, rating=9)
    Book.objects.create(title="Past the counters", title_key="p", author="A", search_text="")
    status, found = counter_differences()
    assert (status, found) == (1, ["total books: 1, should be 2"])
    assert counter_differences("--repair")[0] == 0
    assert counter_differences() == (0, [])
    assert stats()["books"] == 2
