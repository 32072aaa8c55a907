"""Concurrent votes and closes: one result, no lost vote, no response is a 5xx."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from activity.models import Event
from ballots.models import Ballot, Vote
from catalog.models import Book
from clubs.models import Club, Entry, EntryChange
from core.tasks.worker import run_pending
from tests.ballots.helpers import let_expire, poll, url
from tests.clubs.helpers import bring_in, check_invariants
from tests.clubs.reading.helpers import assert_counted
from tests.concurrency.tools import ROUNDS, at_once, statuses

pytestmark = pytest.mark.django_db(transaction=True)

# Long enough for all threads to reach the barrier.
SOON = timedelta(milliseconds=120)


@pytest.fixture
def club(alice: User) -> Club:
    return Club.create_club(by=alice, name="Busy voters")


@pytest.fixture
def users(club: Club, make_user: Callable[..., User]) -> list[User]:
    users = [make_user(f"voter{n}") for n in range(10)]
    for user in users:
        bring_in(club, user, role="moderator")
    return users


@pytest.fixture
def entries(club: Club, alice: User) -> list[Entry]:
    books = [Book.create_book(by=None, title=f"T{n}", authors=["A"]) for n in range(3)]
    return [Entry.add_entry(club=club, book=book, by=alice) for book in books]


def fresh(club: Club, entries: list[Entry], **fields: Any) -> Ballot:
    """Create a ballot, with all entries proposed again."""
    Entry.objects.filter(club=club).update(status="proposed")
    EntryChange.objects.all().delete()
    Event.objects.all().delete()
    return poll(club, entries, **fields)


def check_closed_once(ballot: Ballot) -> dict[int, int]:
    """Check that there is one result with all votes. Return the number of first choices per entry."""
    ballot.refresh_from_db()
    assert ballot.status == "closed"
    assert Event.objects.filter(verb="ballot.closed", object_id=ballot.pk).count() == 1
    assert EntryChange.objects.filter(new="planned").count() == ballot.candidates.filter(won=True).count()
    votes = Vote.objects.of_active_members().filter(ballot=ballot).values_list("positions", flat=True)
    assert sorted(ballot.anonymous_votes) == sorted(votes)
    assert ballot.voters == len(ballot.anonymous_votes)
    assert_counted()
    entries = dict(ballot.candidates.values_list("position", "entry"))
    return Counter(entries[paper[0]] for paper in ballot.anonymous_votes)


def test_simultaneous_votes_of_one_user_leave_one(club: Club, clients: list[APIClient], entries: list[Entry]) -> None:
    ballot = fresh(club, entries)
    for number in range(ROUNDS):
        Vote.objects.all().delete()
        rng = random.Random(number)
        rankings = [[entry.pk for entry in rng.sample(entries, 2)] for _ in range(10)]
        responses = at_once([partial(clients[0].put, url(club, ballot, "vote/"), {"ranking": r}) for r in rankings])
        assert statuses(responses) == {200: 10}
        assert Vote.objects.count() == 1
        assert clients[0].get(url(club, ballot)).json()["my_vote"]["ranking"] in rankings


def test_simultaneous_votes_are_all_counted(club: Club, clients: list[APIClient], entries: list[Entry]) -> None:
    for _round in range(ROUNDS):
        ballot = fresh(club, entries)
        vote = {"ranking": [entries[1].pk]}
        responses = at_once([partial(client.put, url(club, ballot, "vote/"), vote) for client in clients])
        assert statuses(responses) == {200: 10}
        clients[0].post(url(club, ballot, "close/"))
        assert check_closed_once(ballot) == {entries[1].pk: 10}


def test_simultaneous_closes_close_once(club: Club, clients: list[APIClient], entries: list[Entry]) -> None:
    for _round in range(ROUNDS):
        ballot = fresh(club, entries)
        clients[0].put(url(club, ballot, "vote/"), {"ranking": [entries[1].pk]})
        responses = at_once([partial(client.post, url(club, ballot, "close/")) for client in clients])
        assert statuses(responses) == {200: 1, 409: 9}
        assert {response.json()["code"] for response in responses if response.status_code == 409} == {"ballot_closed"}
        check_closed_once(ballot)


def test_due_ballot_is_closed_once(club: Club, clients: list[APIClient], entries: list[Entry]) -> None:
    """Members, moderators who close it, voters, and two workers."""
    for _round in range(ROUNDS):
        ballot = fresh(club, entries)
        clients[0].put(url(club, ballot, "vote/"), {"ranking": [entries[1].pk]})
        let_expire(ballot)
        reads = [partial(client.get, url(club, ballot)) for client in clients[:3]]
        reads += [partial(clients[3].get, url(club))]
        late = [partial(client.post, url(club, ballot, "close/")) for client in clients[4:7]]
        late += [partial(c.put, url(club, ballot, "vote/"), {"ranking": [entries[0].pk]}) for c in clients[7:]]
        *responses, _first_run, _second_run = at_once([*reads, *late, run_pending, run_pending])
        assert statuses(responses[:4]) == {200: 4}
        assert statuses(responses[4:]) == {409: 6}
        results = [response.json()["result"] for response in responses[:3]]
        results.append(responses[3].json()["results"][0]["result"])
        assert all(result == results[0] and result["winner"] == entries[1].pk for result in results)
        assert check_closed_once(ballot) == {entries[1].pk: 1}


def test_vote_during_close_is_counted_or_rejected(club: Club, clients: list[APIClient], entries: list[Entry]) -> None:
    for number in range(ROUNDS):
        ballot = fresh(club, entries, method=("ranked", "approval")[number % 2])
        field = ("ranking", "approved")[number % 2]
        calls = [
            partial(c.put, url(club, ballot, "vote/"), {field: [entries[n % 3].pk]}) for n, c in enumerate(clients)
        ]
        closing = partial(clients[0].post, url(club, ballot, "close/"))
        calls.insert(number % 10, closing)
        responses = at_once(calls)
        closed = responses.pop(number % 10)
        assert closed.status_code == 200
        assert set(statuses(responses)) <= {200, 409}
        taken = Counter(entries[n % 3].pk for n, response in enumerate(responses) if response.status_code == 200)
        assert check_closed_once(ballot) == taken
        assert closed.json()["voters_count"] == taken.total()


def test_vote_at_deadline_is_counted_or_rejected(club: Club, clients: list[APIClient], entries: list[Entry]) -> None:
    """Members vote until they get a conflict, two read all the time, and nobody closes the ballot."""

    def vote_repeatedly(client: APIClient, ballot: Ballot) -> tuple[int, int]:
        accepted = 0
        while (response := client.put(url(club, ballot, "vote/"), {"ranking": [entries[1].pk]})).status_code == 200:
            accepted += 1
        return accepted, response.status_code

    def read_repeatedly(client: APIClient, ballot: Ballot) -> set[int]:
        seen = set()
        while (response := client.get(url(club, ballot))).json().get("status") == "open":
            seen.add(response.status_code)
        return {*seen, response.status_code}

    for _round in range(ROUNDS):
        ballot = fresh(club, entries, closes_at=timezone.now() + SOON)
        calls = [partial(vote_repeatedly, client, ballot) for client in clients[:8]]
        *voted, first, second = at_once(calls + [partial(read_repeatedly, client, ballot) for client in clients[8:]])
        assert {status for _accepted, status in voted} == {409}
        assert first == second == {200}
        counted = sum(1 for accepted, _status in voted if accepted)
        assert check_closed_once(ballot).get(entries[1].pk, 0) == counted


def test_close_while_members_and_entries_change(
    club: Club, alice: User, users: list[User], clients: list[APIClient], entries: list[Entry], client_of: Any
) -> None:
    """Members leave, entries change, votes are sent and the ballot is deleted or closed."""
    as_alice = client_of(alice)
    for number in range(ROUNDS):
        ballot = fresh(club, entries)
        for n, client in enumerate(clients[:6]):
            client.put(url(club, ballot, "vote/"), {"ranking": [entries[n % 3].pk]})
        club_url = f"/api/v1/clubs/{club.pk}/"
        calls = [
            partial(as_alice.post, url(club, ballot, "close/")),
            partial(as_alice.delete, f"{club_url}members/{users[0].pk}/"),
            partial(clients[0].put, url(club, ballot, "vote/"), {"ranking": [entries[2].pk]}),
            partial(clients[1].post, f"{club_url}leave/"),
            partial(clients[1].put, url(club, ballot, "vote/"), {"ranking": [entries[2].pk]}),
            partial(clients[2].patch, f"{club_url}books/{entries[0].pk}/", {"status": "dropped"}),
            partial(clients[3].patch, f"{club_url}books/{entries[1].pk}/", {"note": str(number), "position": 1}),
            partial(clients[4].delete, url(club, ballot, "vote/")),
            partial(clients[5].get, url(club, ballot)),
        ]
        if number % 2:
            calls.append(partial(clients[6].delete, url(club, ballot)))
        random.Random(number).shuffle(calls)
        assert set(statuses(at_once(calls))) <= {200, 204, 403, 404, 409}
        check_invariants()
        assert_counted()
        left = Ballot.objects.filter(pk=ballot.pk).first()
        if left is None:
            assert not Vote.objects.filter(ballot=ballot.pk).exists()
        else:
            assert left.status == "closed"
            assert Event.objects.filter(verb="ballot.closed", object_id=left.pk).count() == 1
            assert left.candidates.filter(won=True).count() == (left.outcome == "winner")
        for user in users[:2]:
            bring_in(club, user, role="moderator") if club.get_membership(user).status != "active" else None
