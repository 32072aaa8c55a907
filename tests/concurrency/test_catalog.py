"""Concurrent catalog writes: unique constraints decide, no response is a 5xx."""

from collections import Counter
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from rest_framework.test import APIClient

from accounts.models import User
from catalog import providers
from catalog.models import TRUSTED_EDITORS, Book, Edition, ProposedEdition, Revision
from tests.concurrency.tools import ROUNDS, at_once

pytestmark = pytest.mark.django_db(transaction=True)

SPELLINGS = ["9780306406157", "0306406152", "978-0-306-40615-7", "0-306-40615-2"]


@pytest.fixture
def clients(make_user: Callable[..., User], client_of: Callable[[User | None], APIClient]) -> list[APIClient]:
    return [client_of(make_user(f"reader{n}")) for n in range(16)]


def test_simultaneous_creates_with_one_isbn_create_one(clients: list[APIClient]) -> None:
    for _round in range(ROUNDS):
        for book in Book.objects.all():
            book.delete_book()
        bodies = [{"title": f"T{n}", "author": "A", "isbn": SPELLINGS[n % 4]} for n in range(16)]
        responses = at_once(
            [lambda c=c, b=b: c.post("/api/v1/books/", b) for c, b in zip(clients, bodies, strict=True)]  # type: ignore[misc]
        )
        assert Counter(response.status_code for response in responses) == {201: 1, 409: 15}
        winner = Book.objects.get()
        for response in responses:
            if response.status_code == 409:
                assert (response.json()["code"], response.json()["book"]["id"]) == ("duplicate_isbn", winner.pk)
        assert Edition.objects.count() == 1


def test_simultaneous_updates_to_one_isbn_allow_one(clients: list[APIClient]) -> None:
    books = [client.post("/api/v1/books/", {"title": "T", "author": "A"}).json()["id"] for client in clients]
    responses = at_once(
        [
            lambda c=c, b=b, s=SPELLINGS[b % 4]: c.patch(f"/api/v1/books/{b}/", {"isbn": s})  # type: ignore[misc]
            for c, b in zip(clients, books, strict=True)
        ]
    )
    assert Counter(response.status_code for response in responses) == {200: 1, 409: 15}
    assert Book.objects.filter(isbn13=SPELLINGS[0]).count() == Edition.objects.count() == 1


def test_simultaneous_lookups_create_one_book(clients: list[APIClient], monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        def get_by_isbn(self, isbn13: str) -> providers.ProviderBook:
            return providers.ProviderBook(title="T", authors=["A"], origin="openlibrary:/books/OL1M")

    monkeypatch.setattr("catalog.services.get_provider_chain", lambda isbn13: Slow())
    for _round in range(ROUNDS):
        for book in Book.objects.all():
            book.delete_book()
        responses = at_once(
            [
                lambda c=c, s=SPELLINGS[n % 4]: c.post("/api/v1/books/lookup/", {"isbn": s})  # type: ignore[misc]
                for n, c in enumerate(clients)
            ]
        )
        assert Counter(response.status_code for response in responses) == {201: 1, 200: 15}
        assert {response.json()["id"] for response in responses} == {Book.objects.get().pk}


def test_lookups_of_two_isbns_create_one_book(clients: list[APIClient], monkeypatch: pytest.MonkeyPatch) -> None:
    class Both:
        def get_by_isbn(self, isbn13: str) -> providers.ProviderBook:
            return providers.ProviderBook(title="T", authors=["A"], origin="openlibrary:/books/OL1M")

    monkeypatch.setattr("catalog.services.get_provider_chain", lambda isbn13: Both())
    isbns = ["9780306406157", "9780804429573"]
    for _round in range(ROUNDS):
        for book in Book.objects.all():
            book.delete_book()
        responses = at_once(
            [
                lambda c=c, s=isbns[n % 2]: c.post("/api/v1/books/lookup/", {"isbn": s})  # type: ignore[misc]
                for n, c in enumerate(clients[:8])
            ]
        )
        # One call adds the book, and one its other edition.
        assert Counter(response.status_code for response in responses) == {201: 2, 200: 6}
        assert sorted(Edition.objects.values_list("isbn13", flat=True)) == isbns


def test_revisions_are_numbered_without_gaps(clients: list[APIClient]) -> None:
    client = clients[0]
    pk = client.post("/api/v1/books/", {"title": "T", "author": "A"}).json()["id"]
    responses = at_once(
        [lambda n=n: client.patch(f"/api/v1/books/{pk}/", {"title": f"T{n}", "authors": [f"A{n}"]}) for n in range(12)]  # type: ignore[misc]
    )
    assert {response.status_code for response in responses} == {200}
    assert sorted(Revision.objects.values_list("number", flat=True)) == list(range(1, 13))
    book = Book.objects.get()
    assert book.authors == [book.author] == [f"A{book.title[1:]}"]


@pytest.fixture
def etag(clients: list[APIClient]) -> tuple[str, str]:
    pk = clients[0].post("/api/v1/books/", {"title": "T", "author": "A"}).json()["id"]
    url = f"/api/v1/books/{pk}/"
    return url, clients[0].get(url)["ETag"]


def test_simultaneous_conditional_updates_allow_one(clients: list[APIClient], etag: tuple[str, str]) -> None:
    url, tag = etag
    responses = at_once(
        [lambda n=n: clients[0].patch(url, {"title": f"T{n}"}, headers={"If-Match": tag}) for n in range(8)]  # type: ignore[misc]
    )
    assert Counter(response.status_code for response in responses) == {200: 1, 412: 7}


def test_updates_during_deletion(clients: list[APIClient]) -> None:
    client = clients[0]
    for _round in range(ROUNDS):
        url = f"/api/v1/books/{client.post('/api/v1/books/', {'title': 'T', 'author': 'A'}).json()['id']}/"
        responses = at_once(
            [
                lambda: client.delete(url),  # noqa: B023
                *(lambda n=n: client.patch(url, {"title": f"T{n}", "subjects": ["S"]}) for n in range(5)),  # type: ignore[misc]  # noqa: B023
            ]
        )
        assert responses[0].status_code == 204
        assert {response.status_code for response in responses[1:]} <= {200, 404}
        assert not Book.objects.exists()


def test_simultaneous_editions_with_one_isbn_add_one(clients: list[APIClient]) -> None:
    for user in User.objects.all():
        user.groups.add(Group.objects.get(name=TRUSTED_EDITORS))
    books = [Book.create_book(by=None, title=f"T{n}", authors=["A"]) for n in range(2)]
    for _round in range(ROUNDS):
        Edition.objects.all().delete()
        for book in books:
            book.update_search_text()
        responses = at_once(
            [
                lambda c=c, n=n: c.post(  # type: ignore[misc]
                    f"/api/v1/books/{books[n % 2].pk}/editions/", {"isbn": SPELLINGS[n % 4], "title": f"Title {n}"}
                )
                for n, c in enumerate(clients)
            ]
        )
        assert Counter(response.status_code for response in responses) == {201: 1, 409: 15}
        edition = Edition.objects.get()
        found = clients[0].get("/api/v1/books/", {"search": edition.title}).json()["results"]
        assert [book["id"] for book in found] == [edition.book_id]


def test_simultaneous_proposals_of_one_user_make_one(
    make_user: Callable[..., User], client_of: Callable[[User | None], APIClient]
) -> None:
    book, user = Book.create_book(by=None, title="T", authors=["A"]), make_user("reader")
    clients = [client_of(user) for _n in range(16)]
    for _round in range(ROUNDS):
        ProposedEdition.objects.all().delete()
        responses = at_once(
            [lambda c=c: c.post(f"/api/v1/books/{book.pk}/editions/", {"isbn": SPELLINGS[0]}) for c in clients]  # type: ignore[misc]
        )
        assert Counter(response.status_code for response in responses) == {202: 1, 409: 15}
