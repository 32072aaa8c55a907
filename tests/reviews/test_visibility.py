"""Visibility of reviews in lists, details and likes."""

import pytest

from catalog.models import Book
from clubs.models import Club, Entry
from reviews.models import Review
from tests.clubs.helpers import bring_in
from tests.reviews.helpers import REVIEWS, delete_account, ids

pytestmark = pytest.mark.django_db


@pytest.fixture
def users(alice, bob, charlie, make_user, club):
    """Alice is the author, Bob shares a club with her, Charlie does not; the others are not active members."""
    asks, left, banned = (make_user(name) for name in ("asks", "left", "banned"))
    bring_in(club, asks, status="pending")
    bring_in(club, left, status="left")
    bring_in(club, banned, status="banned")
    elsewhere = Club.create_club(by=charlie, name="Elsewhere")
    bring_in(elsewhere, alice, status="banned")
    return {"anonymous": None, "alice": alice, "bob": bob, "charlie": charlie} | {
        "asks": asks,
        "left": left,
        "banned": banned,
    }


@pytest.mark.parametrize(
    ("visibility", "hidden", "seen_by"),
    [
        ("public", False, {"anonymous", "alice", "bob", "charlie", "asks", "left", "banned"}),
        ("clubs", False, {"alice", "bob"}),
        ("private", False, {"alice"}),
        ("public", True, {"alice"}),
        ("clubs", True, {"alice"}),
        ("private", True, {"alice"}),
    ],
)
def test_visibility_of_reviews(users, client_of, alice, book, club, visibility, hidden, seen_by):
    Entry.add_entry(club=club, book=book, by=alice)
    review = Review.create_review(book=book, by=alice, rating=8, visibility=visibility)
    if hidden:
        review.hide()
    lists = [REVIEWS, f"{REVIEWS}?user={alice.pk}", f"{REVIEWS}?book={book.pk}", f"/api/v1/books/{book.pk}/reviews/"]
    for name, user in users.items():
        client = client_of(user)
        expected = [review.pk] if name in seen_by else []
        for url in [*lists, f"/api/v1/clubs/{club.pk}/reviews/"]:
            assert ids(client.get(url)) == expected, (name, url)
        found = client.get(f"{REVIEWS}{review.pk}/").status_code
        assert found == (200 if name in seen_by else 404), name
        if user:
            assert client.put(f"{REVIEWS}{review.pk}/like/").status_code == (204 if name in seen_by else 404), name


def test_review_shared_through_two_clubs_is_listed_once(as_bob, alice, bob, club, book):
    bring_in(Club.create_club(by=alice, name="A second"), bob)
    review = Review.create_review(book=book, by=alice, rating=8, visibility="clubs")
    assert ids(as_bob.get(REVIEWS)) == [review.pk]


def test_former_member_cannot_read_club_reviews(as_bob, alice, bob, club, book):
    review = Review.create_review(book=book, by=alice, rating=8, visibility="clubs")
    assert ids(as_bob.get(REVIEWS)) == [review.pk]
    club.leave(bob)
    assert ids(as_bob.get(REVIEWS)) == []


def test_club_lists_reviews_by_members_of_listed_books(as_bob, anonymous, alice, bob, charlie, club, add_book):
    listed, other = add_book("Listed"), add_book("Other")
    Entry.add_entry(club=club, book=listed, by=alice)
    Entry.add_entry(club=Club.create_club(by=charlie, name="Elsewhere"), book=listed, by=charlie)
    expected = [Review.create_review(book=listed, by=user, rating=8).pk for user in (alice, bob)]
    Review.create_review(book=listed, by=charlie, rating=8)
    Review.create_review(book=other, by=alice, rating=8)
    for client in (as_bob, anonymous):
        assert ids(client.get(f"/api/v1/clubs/{club.pk}/reviews/")) == expected[::-1]


def test_club_average_rating_counts_public_member_reviews(
    as_bob, anonymous, alice, bob, charlie, make_user, club, book
):
    Entry.add_entry(club=club, book=book, by=alice)
    url = f"/api/v1/clubs/{club.pk}/books/"
    assert as_bob.get(url).json()["results"][0]["club_average_rating"] is None
    for user, rating in ((alice, 8), (bob, 7), (charlie, 1)):
        Review.create_review(book=book, by=user, rating=rating)
    third, fourth = make_user("third"), make_user("fourth")
    bring_in(club, third)
    bring_in(club, fourth)
    Review.create_review(book=book, by=third, rating=10)
    Review.create_review(book=book, by=fourth, rating=1, visibility="clubs")
    # (4 + 3.5 + 5) / 3, without Charlie, who is not a member, and without the club review
    for client in (as_bob, anonymous):
        assert client.get(url).json()["results"][0]["club_average_rating"] == 4.17


def test_reviews_of_book_exclude_those_of_other_books(anonymous, alice):
    books = [Book.create_book(by=None, title=title, authors=["A"]) for title in ("Emma", "Persuasion", "Sanditon")]
    reviews = [Review.create_review(book=book, by=alice, rating=8) for book in books]
    assert ids(anonymous.get(f"/api/v1/books/{books[1].pk}/reviews/")) == [reviews[1].pk]
    assert ids(anonymous.get(REVIEWS, {"book": books[1].pk})) == [reviews[1].pk]


@pytest.mark.parametrize("anonymize", [True, False])
def test_account_deletion_keeps_reviews_of_others(anonymous, as_bob, alice, bob, anonymize):
    book = Book.create_book(by=None, title="Emma", authors=["Jane Austen"])
    Review.create_review(book=book, by=alice, rating=8, visibility="private")
    kept = Review.create_review(book=book, by=bob, rating=6)
    delete_account(alice, anonymize=anonymize)
    assert as_bob.get(f"{REVIEWS}{kept.pk}/").status_code == 200
    assert ids(anonymous.get(f"/api/v1/books/{book.pk}/reviews/")) == [kept.pk]


def test_account_deletion_removes_only_own_likes(anonymous, as_alice, as_moe, alice, bob, charlie):
    book = Book.create_book(by=None, title="Emma", authors=["Jane Austen"])
    liked, other = (Review.create_review(book=book, by=user, rating=6) for user in (bob, charlie))
    for client, review in ((as_alice, liked), (as_moe, liked), (as_moe, other)):
        assert client.put(f"{REVIEWS}{review.pk}/like/").status_code in (200, 204)
    delete_account(alice, anonymize=False)
    counts = [anonymous.get(f"{REVIEWS}{review.pk}/").json()["likes_count"] for review in (liked, other)]
    assert counts == [1, 1]
