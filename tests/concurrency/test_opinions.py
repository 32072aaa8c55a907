"""Concurrent opinions, answers and loans: one row per member, none of former members, nothing opens twice."""

import datetime
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from availability.models import Availability
from catalog.models import Book
from clubs.models import Club, Entry
from meetings.models import Meeting
from opinions.models import Opinion, Seal
from tests.ballots.helpers import poll
from tests.clubs.helpers import CLUBS, bring_in
from tests.concurrency.tools import ROUNDS, at_once, statuses

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner(make_user: Callable[..., User]) -> User:
    return make_user("owner")


@pytest.fixture
def club(owner: User) -> Club:
    return Club.create_club(by=owner, name="Busy readers")


@pytest.fixture
def entry(club: Club, owner: User) -> Entry:
    return Entry.add_entry(club=club, book=Book.create_book(by=None, title="T", authors=["A"]), by=owner)


@pytest.fixture
def members(club: Club, make_user: Callable[..., User]) -> list[User]:
    users = [make_user(f"member{n}") for n in range(4)]
    for user in users:
        bring_in(club, user, role="moderator")
    return users


def url(entry: Entry, rest: str = "") -> str:
    return f"{CLUBS}{entry.club_id}/books/{entry.pk}/{rest}"


def meeting(club: Club, owner: User) -> Meeting:
    starts_at = timezone.now() + datetime.timedelta(days=1)
    return Meeting.create_meeting(club=club, by=owner, title="M", starts_at=starts_at)


def test_simultaneous_first_writes_leave_one_row(
    entry: Entry, members: list[User], client_of: Callable[[User | None], APIClient]
) -> None:
    client = client_of(members[0])
    for _round in range(ROUNDS):
        Opinion.objects.all().delete()
        Availability.objects.all().delete()
        calls = [partial(client.put, url(entry, "opinion/"), {"rating": n}) for n in range(1, 5)]
        calls += [partial(client.put, url(entry, "access/mine/"), {"answer": answer}) for answer in ("have", "can")]
        assert statuses(at_once(calls)) == {200: 6}
        assert (Opinion.objects.count(), Availability.objects.count()) == (1, 1)


def test_leaving_members_take_opinions_and_answers_along(
    entry: Entry, club: Club, owner: User, members: list[User], client_of: Callable[[User | None], APIClient]
) -> None:
    clients, as_owner = [client_of(user) for user in members], client_of(owner)
    for _round in range(ROUNDS):
        as_owner.put(url(entry, "access/mine/"), {"answer": "have", "lends": True})
        calls: list[Any] = [partial(client.put, url(entry, "opinion/"), {"rating": 3}) for client in clients]
        calls += [partial(client.put, url(entry, "access/mine/"), {"answer": "cannot"}) for client in clients]
        calls += [partial(client.post, f"{CLUBS}{club.pk}/leave/") for client in clients]
        calls.append(partial(as_owner.put, url(entry, "access/lent/"), {"to": members[0].pk}))
        responses = at_once(calls)
        assert set(statuses(responses[:8])) <= {200, 403, 404}
        assert statuses(responses[8:12]) == {204: 4}
        assert responses[12].status_code in (200, 400)
        assert not Opinion.objects.exists()
        assert list(Availability.objects.values_list("user", "lent_to")) == [(owner.pk, None)]
        for user in members:
            bring_in(club, user, role="moderator")


def test_opinions_open_once_and_never_close_again(
    entry: Entry, club: Club, owner: User, members: list[User], client_of: Callable[[User | None], APIClient]
) -> None:
    clients = [client_of(user) for user in members]
    for _round in range(ROUNDS):
        Seal.objects.all().delete()
        Opinion.objects.all().delete()
        first, second = meeting(club, owner), meeting(club, owner)
        entry.update_entry(by=owner, sealed_with=first.pk)
        later = f"{first.starts_at + datetime.timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
        responses = at_once(
            [
                partial(clients[0].post, url(entry, "opinions/open/")),
                partial(clients[1].post, url(entry, "opinions/open/")),
                partial(clients[2].patch, url(entry), {"sealed_with": second.pk}),
                partial(clients[3].patch, f"{CLUBS}{club.pk}/meetings/{first.pk}/", {"starts_at": later}),
                partial(clients[3].put, url(entry, "opinion/"), {"rating": 4}),
            ]
        )
        assert sorted(response.status_code for response in responses[:2]) == [200, 409]
        assert responses[2].status_code in (200, 409)
        assert statuses(responses[3:]) == {200: 2}
        assert not Seal.objects.closed().exists()


def test_recount_happens_once(
    club: Club, owner: User, members: list[User], client_of: Callable[[User | None], APIClient]
) -> None:
    clients = [client_of(user) for user in members]
    for number in range(ROUNDS):
        books = [Book.create_book(by=None, title=f"B{number} {n}", authors=["A"]) for n in range(3)]
        entries = [Entry.add_entry(club=club, book=book, by=owner) for book in books]
        ballot = poll(club, entries)
        ballot.vote(by=owner, choices=[entry.pk for entry in entries])
        ballot.close(by=owner)
        body = {"without": entries[0].pk, "reason": "Out of print"}
        place = f"{CLUBS}{club.pk}/ballots/{ballot.pk}/recount/"
        assert statuses(at_once([partial(client.post, place, body) for client in clients])) == {200: 1, 400: 3}
        shown = [Entry.objects.get(pk=entry.pk).status for entry in entries]
        assert shown == ["proposed", "planned", "proposed"]
