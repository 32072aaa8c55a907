"""Ratings that members share with their clubs count in private clubs, and nowhere else."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from catalog.merges.services import merge_books, undo_merge
from catalog.models import Book
from clubs.models import Entry
from reviews.models import Review
from tests.clubs.helpers import bring_in
from tests.reviews.helpers import counter_differences, delete_account
from tests.stats.helpers import set_progress

pytestmark = pytest.mark.django_db


@pytest.fixture
def averages(stats, as_alice):
    """Return what members of a club see of its ratings: the average of the only entry, and those of the club."""

    def get(club):
        [entry] = as_alice.get(f"/api/v1/clubs/{club.pk}/books/").json()["results"]
        statistics = stats(club, as_alice)
        assert counter_differences() == (0, [])
        assert statistics["mean_rating"] == entry["club_average_rating"]
        rated = {float(star): n for star, n in statistics["rating_histogram"].items() if n}
        return statistics["mean_rating"], rated

    return get


@pytest.fixture
def shared(club, private_club, add_entry, alice):
    """An entry of the private club, whose book the public club has listed too."""
    entry = add_entry(where=private_club)
    Entry.add_entry(club=club, book=entry.book, by=alice)
    return entry


def test_private_club_counts_ratings_shared_with_clubs(averages, club, private_club, shared, alice, bob, moe, charlie):
    Review.create_review(book=shared.book, by=alice, rating=10)
    Review.create_review(book=shared.book, by=bob, rating=5, visibility="clubs")
    Review.create_review(book=shared.book, by=moe, rating=1, visibility="private")
    Review.create_review(book=shared.book, by=charlie, rating=1, visibility="clubs")
    assert averages(private_club) == (3.75, {5.0: 1, 2.5: 1})
    assert averages(club) == (5, {5.0: 1})


def test_private_club_ratings_follow_review_changes(averages, club, private_club, shared, bob):
    review = Review.create_review(book=shared.book, by=bob, rating=6, visibility="clubs")
    for change, private, public in (
        ({"rating": 8}, (4, {4.0: 1}), (None, {})),
        ({"visibility": "public"}, (4, {4.0: 1}), (4, {4.0: 1})),
        ({"visibility": "clubs", "rating": 2}, (1, {1.0: 1}), (None, {})),
        ({"visibility": "private"}, (None, {}), (None, {})),
        ({"visibility": "clubs"}, (1, {1.0: 1}), (None, {})),
        ({"rating": None, "body": "Text"}, (None, {}), (None, {})),
        ({"rating": 3}, (1.5, {1.5: 1}), (None, {})),
    ):
        review.update_review(**change)
        assert (averages(private_club), averages(club)) == (private, public), change
    review.hide()
    assert averages(private_club) == (None, {})
    review.restore()
    assert averages(private_club) == (1.5, {1.5: 1})
    review.delete_review()
    assert averages(private_club) == (None, {})


def test_private_club_ratings_follow_memberships(averages, private_club, shared, charlie, alice):
    Review.create_review(book=shared.book, by=charlie, rating=6, visibility="clubs")
    row = bring_in(private_club, charlie)
    assert averages(private_club) == (3, {3.0: 1})
    private_club.leave(charlie)
    assert averages(private_club) == (None, {})
    row = bring_in(private_club, charlie)
    row.update_membership(by=alice, status="banned")
    assert averages(private_club) == (None, {})


def test_private_club_counts_ratings_older_than_the_entry(averages, private_club, bob, alice):
    book = Book.create_book(by=None, title="Emma", authors=["Jane Austen"])
    Review.create_review(book=book, by=bob, rating=6, visibility="clubs")
    Entry.add_entry(club=private_club, book=book, by=alice)
    assert averages(private_club) == (3, {3.0: 1})


def test_visibility_of_club_decides_which_ratings_count(averages, club, shared, alice, bob, as_alice):
    Review.create_review(book=shared.book, by=alice, rating=10)
    Review.create_review(book=shared.book, by=bob, rating=5, visibility="clubs")
    progress = Entry.objects.get(club=club)
    set_progress(progress, bob, "page", 30, 300)
    for visibility, expected in (("private", (3.75, {5.0: 1, 2.5: 1})), ("public", (5, {5.0: 1}))) * 2:
        assert as_alice.patch(f"/api/v1/clubs/{club.pk}/", {"visibility": visibility}).status_code == 200
        assert averages(club) == expected
        assert as_alice.get(f"/api/v1/clubs/{club.pk}/stats/").json()["pages_read"] == 30


def test_most_divisive_book_of_private_club_counts_shared_ratings(stats, private_club, shared, make_user, as_alice):
    for n, rating in enumerate([1, 10, 1, 10, 1]):
        user = make_user(f"r{n}")
        bring_in(private_club, user)
        Review.create_review(book=shared.book, by=user, rating=rating, visibility="clubs")
    assert stats(private_club, as_alice)["most_divisive_book"]["ratings_count"] == 5


@pytest.mark.parametrize("anonymize", [True, False])
def test_account_deletion_removes_ratings_shared_with_clubs(averages, private_club, shared, bob, anonymize):
    Review.create_review(book=shared.book, by=bob, rating=6, visibility="clubs")
    delete_account(bob, anonymize=anonymize)
    assert averages(private_club) == (None, {})


def test_ratings_shared_with_clubs_do_not_count_publicly(anonymous, club, private_club, shared, bob):
    def public_statistics():
        book = shared.book_id
        paths = (
            f"books/{book}/",
            f"books/{book}/stats/",
            f"clubs/{club.pk}/stats/",
            f"clubs/{club.pk}/books/",
            "stats/",
        )
        bodies = [anonymous.get(f"/api/v1/{path}").json() for path in (*paths, "stats/?min_ratings=1", "books/")]
        return [{name: value for name, value in body.items() if name != "as_of"} for body in bodies]

    before = public_statistics()
    review = Review.create_review(book=shared.book, by=bob, rating=6, visibility="clubs")
    review.update_review(rating=9)
    assert public_statistics() == before


def test_merged_books_keep_ratings_shared_with_clubs(averages, private_club, shared, alice, bob, moe, staff):
    other = Book.create_book(by=None, title="Emma!", authors=["Jane Austen"])
    Review.create_review(book=other, by=bob, rating=6, visibility="clubs")
    Review.create_review(book=shared.book, by=moe, rating=8, visibility="clubs")
    merge = merge_books(target=shared.book, source=other, by=staff, reason="The same work")
    assert averages(private_club) == (3.5, {3.0: 1, 4.0: 1})
    undo_merge(merge, by=staff, reason="Two works")
    assert averages(private_club) == (4, {4.0: 1})


def test_migration_counts_ratings_shared_with_clubs(averages, private_club, shared, alice, bob):
    Review.create_review(book=shared.book, by=alice, rating=6)
    Review.create_review(book=shared.book, by=bob, rating=6, visibility="clubs")
    migration = import_module("reviews.migrations.0002_club_ratings")
    migration.back(apps, connection.schema_editor())
    assert sorted(Entry.objects.values_list("stars_6", flat=True)) == [1, 1]
    migration.forward(apps, connection.schema_editor())
    assert averages(private_club) == (3, {3.0: 2})


def test_admin_charts_show_no_ratings_of_private_club(client, staff, private_club, shared, bob):
    Review.create_review(book=shared.book, by=bob, rating=6, visibility="clubs")
    client.force_login(staff)
    charts = client.get(f"/admin/clubs/club/{private_club.pk}/change/").context["charts"]
    assert [str(chart.title) for chart in charts] == ["Members by month of joining", "Books finished"]
