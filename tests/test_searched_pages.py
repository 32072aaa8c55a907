"""Search returns the same rows in the same order from recent rows and from the index."""

import pytest

from catalog.models import Book
from clubs.models import Club
from core.api.pagination import SearchPagination
from discussions.models import Post, Thread

# InnoDB's full-text index contains committed rows only.
pytestmark = pytest.mark.django_db(transaction=True)
WORDS = ("li", "LIVRO r", "livro raro", "raro", "liv nada", "📚")
WINDOWS = ((), (2,), (2, 8), (1000,))


def pages(client, path, **query):
    """Page to the end and back. Return the ids of all pages."""
    found, response = [], client.get(path, query | {"page_size": 3}).json()
    back = []
    while True:
        found.append([row["id"] for row in response["results"]])
        if not response["next"]:
            break
        response = client.get(response["next"]).json()
    while response["previous"]:
        response = client.get(response["previous"]).json()
        back.append([row["id"] for row in response["results"]])
    assert sorted(pk for page in back for pk in page) == sorted(pk for page in found[:-1] for pk in page)
    return [pk for page in found for pk in page]


def title(n):
    return " ".join(["Livro" if n % 3 else "Outro", *(["raro"] if n % 10 == 0 else []), f"x{n} 📚"])


@pytest.fixture
def books():
    for n in range(25):
        Book.create_book(by=None, title=title(n), authors=["Ana Lima" if n % 4 else "Eça"])
    Book.objects.filter(pk__in=list(Book.objects.values_list("pk", flat=True)[:9])).update(ratings_count=5)


@pytest.fixture
def posts(club, alice, bob):
    thread = Thread.create_thread(club=club, by=alice, title="T", body=title(0))
    for n in range(1, 25):
        Post.create_post(thread=thread, by=bob if n % 2 else alice, body=title(n))


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("ordering", ["-ratings_count", "title"])
def test_book_search_is_the_same(anonymous, books, monkeypatch, words, ordering):
    found = []
    for windows in WINDOWS:
        monkeypatch.setattr(SearchPagination, "search_windows", windows)
        found.append(pages(anonymous, "/api/v1/books/", search=words, ordering=ordering))
    assert found == [found[0]] * len(WINDOWS)
    assert bool(found[0]) == (words not in ("liv nada", "📚"))


@pytest.mark.parametrize("words", WORDS)
def test_post_search_is_the_same(as_bob, club, posts, monkeypatch, words):
    found = []
    for windows in WINDOWS:
        monkeypatch.setattr(SearchPagination, "search_windows", windows)
        found.append(pages(as_bob, f"/api/v1/clubs/{club.pk}/posts/", search=words))
    assert found == [found[0]] * len(WINDOWS)
    assert found[0] == sorted(found[0], reverse=True)


def test_club_and_user_search_is_the_same(as_alice, alice, make_user, monkeypatch):
    for n in range(12):
        Club.create_club(by=make_user(f"livia{n}", display_name=title(n)), name=title(n))
    for path in ("clubs/", "users/"):
        found = []
        for windows in WINDOWS:
            monkeypatch.setattr(SearchPagination, "search_windows", windows)
            found.append(pages(as_alice, f"/api/v1/{path}", search="livro"))
        assert found == [found[0]] * len(WINDOWS)
        assert len(found[0]) == 8


@pytest.mark.parametrize(
    ("windows", "words", "queries"),
    [
        ((1000,), "livro", 6),
        ((5,), "livro", 6),
        ((5,), "raro", 6),
        # The first window has two of the three posts needed, so the larger one is scanned too.
        ((3, 1000), "livro", 8),
        ((3, 5), "livro", 8),
        # The first window has no match, so the index is used.
        ((3, 8), "raro", 6),
        ((1000,), "nada", 4),
    ],
)
def test_search_query_count_is_constant(
    as_bob, club, posts, monkeypatch, windows, words, queries, django_assert_num_queries
):
    monkeypatch.setattr(SearchPagination, "search_windows", windows)
    # session with user, club with the caller's rank, for each window its end and the matches in it, and if there are
    # any, posts and reactions
    with django_assert_num_queries(queries):
        as_bob.get(f"/api/v1/clubs/{club.pk}/posts/?page_size=2&search={words}")
