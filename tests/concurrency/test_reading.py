"""Concurrent reading lists: positions stay 1..n, one progress per user, counters right, no response is a 5xx."""

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from catalog.models import Book
from clubs.models import Club, Entry, Progress
from clubs.reading import services
from tests.clubs.helpers import bring_in
from tests.concurrency.tools import ROUNDS, at_once, statuses

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner(make_user: Callable[..., User]) -> User:
    return make_user("owner")


@pytest.fixture
def club(owner: User) -> Club:
    return Club.create_club(by=owner, name="Busy readers")


@pytest.fixture
def moderators(club: Club, make_user: Callable[..., User], client_of: Callable[[User | None], APIClient]) -> list[Any]:
    users = [make_user(f"moderator{n}") for n in range(8)]
    for user in users:
        bring_in(club, user, role="moderator")
    return [client_of(user) for user in users]


@pytest.fixture
def books(db: None) -> list[Book]:
    return [Book.create_book(by=None, title=f"T{n}", authors=["A"]) for n in range(16)]


def url(club: Club, entry: Entry | None = None, rest: str = "") -> str:
    return f"/api/v1/clubs/{club.pk}/books/" + (f"{entry.pk}/{rest}" if entry else "")


def positions(club: Club) -> list[int]:
    return sorted(Entry.objects.filter(club=club).values_list("position", flat=True))


def test_simultaneous_moves_leave_a_permutation(club: Club, owner: User, moderators: list[Any], books: Any) -> None:
    entries = [Entry.add_entry(club=club, book=book, by=owner) for book in books]
    for number in range(ROUNDS):
        rng = random.Random(number)
        responses = at_once(
            [
                partial(client.patch, url(club, rng.choice(entries)), {"position": rng.randint(1, 16)})
                for client in moderators
            ]
        )
        assert statuses(responses) == {200: 8}
        assert positions(club) == list(range(1, 17))


def test_simultaneous_changes_leave_no_gap_or_duplicate(
    club: Club, owner: User, moderators: list[Any], books: Any
) -> None:
    for number in range(ROUNDS):
        for entry in Entry.objects.all():
            entry.delete_entry(by=owner)
        entries = [Entry.add_entry(club=club, book=book, by=owner, status="reading") for book in books[:8]]
        rng = random.Random(number)
        calls = [partial(c.patch, url(club, rng.choice(entries)), {"position": 1}) for c in moderators[:3]]
        for client, book in zip(moderators[3:6], books[8:], strict=False):
            calls.append(partial(client.post, url(club), {"book": book.pk, "status": "reading"}))
        for client, entry in zip(moderators[6:], entries, strict=False):
            calls.append(partial(client.delete, url(club, entry)))
        responses = at_once(calls)
        assert set(statuses(responses[:3])) <= {200, 404}
        assert statuses(responses[3:6]) == {201: 3}
        assert statuses(responses[6:]) == {204: 2}
        assert positions(club) == list(range(1, 10))
        assert list(services.miscounted()) == []


def test_simultaneous_additions_of_a_book_create_one(club: Club, moderators: list[Any], books: Any) -> None:
    for book in books:
        responses = at_once([partial(c.post, url(club), {"book": book.pk}) for c in moderators])
        assert statuses(responses) == {201: 1, 409: 7}
    assert positions(club) == list(range(1, 17))


def test_simultaneous_first_progress_leaves_one_row(club: Club, owner: User, moderators: list[Any], books: Any) -> None:
    for book in [*books, *(Book.create_book(by=None, title="More", authors=["A"]) for _ in range(ROUNDS - len(books)))]:
        entry = Entry.add_entry(club=club, book=book, by=owner)
        place = url(club, entry, "progress/")
        answers = at_once([partial(moderators[0].put, place, {"percent": percent}) for percent in range(16)])
        assert statuses(answers) == {200: 16}
        progress = Progress.objects.get(entry=entry)
        # Several may have been saved in the last second, which is all that responses tell.
        found = [answer.json() for answer in answers]
        last_second = max(answer["updated_at"] for answer in found)
        assert float(progress.percent) in {a["percent"] for a in found if a["updated_at"] == last_second}
        assert f"{progress.updated_at:%Y-%m-%dT%H:%M:%SZ}" == last_second


def test_crosswise_moves_do_not_deadlock(club: Club, owner: User, moderators: list[Any], books: Any) -> None:
    first, second = (Entry.add_entry(club=club, book=book, by=owner) for book in books[:2])

    def swap(client: APIClient, one: Entry, other: Entry) -> set[int]:
        responses = set()
        for _ in range(50):
            responses.add(client.patch(url(club, one), {"position": 2}).status_code)
            responses.add(client.patch(url(club, other), {"position": 2}).status_code)
        return responses

    responses = at_once(
        [partial(swap, moderators[0], first, second), partial(swap, moderators[1], second, first)],
    )
    assert responses == [{200}, {200}]
    assert positions(club) == [1, 2]


def test_mixed_writes_keep_counters_right(
    club: Club, owner: User, moderators: list[Any], books: Any, client_of: Callable[[User | None], APIClient]
) -> None:
    others = [Club.create_club(by=owner, name=f"Club {n}") for n in range(3)]
    as_owner = client_of(owner)
    for book in books[:4]:
        for where in (club, *others):
            Entry.add_entry(club=where, book=book, by=owner, status="reading")
    for number in range(ROUNDS):
        rng = random.Random(number)
        entries = list(Entry.objects.filter(club=club))
        steps = ("reading", "finished", "planned")
        calls = [
            partial(client.patch, url(club, rng.choice(entries)), {"status": rng.choice(steps)})
            for client in moderators[:5]
        ]
        for other in others:
            entry = other.entries.first()
            calls.append(partial(as_owner.patch, url(other, entry), {"status": rng.choice(steps)}))
        visibility = {"visibility": ("private", "public")[number % 2]}
        calls.append(partial(as_owner.patch, f"/api/v1/clubs/{club.pk}/", visibility))
        responses = at_once(calls)
        assert set(statuses(responses)) <= {200, 409}
        assert list(services.miscounted()) == []
    responses = at_once([partial(as_owner.delete, f"/api/v1/clubs/{other.pk}/") for other in others])
    assert statuses(responses) == {204: 3}
    assert list(services.miscounted()) == []


def test_progress_during_entry_deletion(club: Club, owner: User, moderators: list[Any], books: Any) -> None:
    for number in range(ROUNDS):
        entry = Entry.add_entry(club=club, book=books[number % 16], by=owner)
        step = {"title": "I", "up_to_chapter": 1, "due_on": "2027-01-01"}
        calls = [partial(c.put, url(club, entry, "progress/"), {"percent": 5}) for c in moderators[:5]]
        calls += [partial(c.post, url(club, entry, "milestones/"), step) for c in moderators[5:7]]
        calls.append(partial(moderators[7].delete, url(club, entry)))
        responses = at_once(calls)
        assert set(statuses(responses[:-1])) <= {200, 201, 404}
        assert responses[-1].status_code == 204
        assert not Progress.objects.exists()


def test_writes_during_club_deletion(
    owner: User, make_user: Callable[..., User], client_of: Callable[[User | None], APIClient], books: Any
) -> None:
    users = [make_user(f"reader{n}") for n in range(6)]
    clients = [client_of(user) for user in users]
    as_owner = client_of(owner)
    for _round in range(ROUNDS):
        club = Club.create_club(by=owner, name="Going")
        for user in users:
            bring_in(club, user)
        entry = Entry.add_entry(club=club, book=books[0], by=owner, status="reading")
        calls = [partial(c.put, url(club, entry, "progress/"), {"percent": 5}) for c in clients[:3]]
        for client, book in zip(clients[3:], books[1:], strict=False):
            calls.append(partial(client.post, url(club), {"book": book.pk}))
        calls.append(partial(as_owner.delete, f"/api/v1/clubs/{club.pk}/"))
        responses = at_once(calls)
        assert set(statuses(responses[:-1])) <= {200, 201, 404}
        assert responses[-1].status_code == 204
        assert not Entry.objects.exists()
        assert list(services.miscounted()) == []


def test_book_is_either_listed_or_deleted(
    club: Club, owner: User, moderators: list[Any], client_of: Callable[[User | None], APIClient]
) -> None:
    as_owner = client_of(owner)
    for _round in range(ROUNDS):
        book = Book.create_book(by=owner, title="Going", authors=["A"])
        removed, listed = at_once(
            [
                partial(as_owner.delete, f"/api/v1/books/{book.pk}/"),
                partial(moderators[0].post, url(club), {"book": book.pk}),
            ]
        )
        assert (removed.status_code, listed.status_code) in {(204, 400), (409, 201)}
