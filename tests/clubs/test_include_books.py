"""`GET clubs/{id}/?include=books`: a club and its reading list in one response."""

import pytest

from catalog.models import Book
from clubs.club import services
from clubs.models import Club, Entry
from tests.clubs.helpers import CLUBS, bad_parameters, bring_in, problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def club(alice, bob):
    club = Club.create_club(by=alice, name="Emma", visibility="private")
    bring_in(club, bob)
    for title, status in (("A", "finished"), ("B", "reading"), ("C", "planned"), ("D", "reading")):
        book = Book.create_book(by=None, title=title, authors=["Jane Austen"])
        Entry.add_entry(club=club, book=book, by=alice, status=status)
    return club


@pytest.fixture
def place(club):
    return f"{CLUBS}{club.pk}/"


def test_included_books_are_those_of_the_list(as_bob, place):
    first = as_bob.get(f"{place}books/").json()["results"][0]["id"]
    as_bob.put(f"{place}books/{first}/progress/", {"percent": 40})
    whole = as_bob.get(f"{place}?include=books").json()
    assert whole.pop("books") == as_bob.get(f"{place}books/").json()["results"]
    assert whole == as_bob.get(place).json()


def test_club_without_include_has_no_books(as_bob, place):
    assert "books" not in as_bob.get(place).json()


def test_empty_list_is_included_as_empty(as_alice, alice):
    club = Club.create_club(by=alice, name="New")
    body = as_alice.get(f"{CLUBS}{club.pk}/?include=books").json()
    assert (body["books"], body["current_entry"]) == ([], None)


def test_list_of_a_public_club_is_included_for_all(anonymous, as_charlie, alice, club, place):
    club.update_club(by=alice, visibility="public")
    for client in (anonymous, as_charlie):
        assert [entry["book"]["title"] for entry in client.get(f"{place}?include=books").json()["books"]] == [*"ABCD"]


@pytest.mark.parametrize("status", ["left", "banned", None])
def test_private_club_with_books_is_404_to_outsiders(anonymous, as_charlie, charlie, club, place, status):
    if status:
        bring_in(club, charlie, status=status)
    for client in (anonymous, as_charlie):
        problem(client.get(f"{place}?include=books"), 404, "not_found")


def test_applicant_of_a_private_club_sees_no_books(as_charlie, charlie, alice, club, place):
    club.update_club(by=alice, visibility="public", join_policy="request")
    bring_in(club, charlie, status="pending")
    club.update_club(by=alice, visibility="private")
    body = as_charlie.get(f"{place}?include=books").json()
    assert body.pop("books") is None
    assert body == as_charlie.get(place).json()


@pytest.mark.parametrize("value", ["members", "books,members", "Books", "books "])
def test_unknown_include_is_rejected(as_bob, place, value):
    assert bad_parameters(as_bob.get(place, {"include": value})) == {"include"}


@pytest.mark.parametrize("query", ["include=", "include=books&include=books", "include=books&page=2"])
def test_invalid_query_beside_include_is_rejected(as_bob, place, query):
    assert bad_parameters(as_bob.get(f"{place}?{query}"))


@pytest.mark.parametrize(("method", "path"), [("get", ""), ("patch", "{club}/"), ("post", "{club}/leave/")])
def test_include_is_unknown_to_other_actions(as_alice, club, method, path):
    place = CLUBS + path.format(club=club.pk)
    assert bad_parameters(getattr(as_alice, method)(f"{place}?include=books")) == {"include"}


@pytest.mark.parametrize("books", [1, 8])
def test_included_books_take_constant_queries(as_bob, alice, club, place, django_assert_num_queries, books):
    for number in range(books):
        book = Book.create_book(by=None, title=f"More {number}", authors=["Jane Austen"])
        Entry.add_entry(club=club, book=book, by=alice)
    # Session with user, club with owner and membership, entries; a next meeting, if there is one.
    with django_assert_num_queries(3):
        assert len(as_bob.get(f"{place}?include=books").json()["books"]) == books + 4


def test_current_entry_beyond_the_limit_is_found(as_bob, place, monkeypatch):
    monkeypatch.setattr(services, "MAX_INCLUDED_ENTRIES", 1)
    body = as_bob.get(f"{place}?include=books").json()
    assert [entry["book"]["title"] for entry in body["books"]] == ["A"]
    assert body["current_entry"]["book"]["title"] == "B"


def test_club_with_books_has_an_etag_of_its_own(as_bob, place):
    response = as_bob.get(f"{place}?include=books")
    assert response["ETag"] != as_bob.get(place)["ETag"]
    assert as_bob.get(f"{place}?include=books", HTTP_IF_NONE_MATCH=response["ETag"]).status_code == 304
