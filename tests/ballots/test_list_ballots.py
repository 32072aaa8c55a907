"""The list of ballots, and verification of a result."""

import datetime
import random
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from ballots import counting
from ballots.models import Ballot, Candidate, Vote
from clubs.models import Club, Entry
from tests.ballots.helpers import let_expire, poll, url
from tests.clubs.helpers import bad_parameters


def ids(response: Any) -> list[int]:
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["results"]]


def test_list_is_newest_first_without_duplicates(as_bob: APIClient, club: Club, entries: list[Entry]) -> None:
    ballots = [poll(club, entries) for _ in range(5)]
    # Equal creation times still give a total order.
    Ballot.objects.update(created_at=timezone.now())
    expected = [ballot.pk for ballot in reversed(ballots)]
    assert ids(as_bob.get(url(club))) == expected
    page, seen = as_bob.get(url(club), {"page_size": 2}), []
    while True:
        seen += ids(page)
        if page.json()["next"] is None:
            break
        page = as_bob.get(page.json()["next"])
    assert seen == expected
    assert ids(as_bob.get(page.json()["previous"])) == expected[2:4]


def test_list_is_filtered_by_status(as_bob: APIClient, as_moe: APIClient, club: Club, entries: list[Entry]) -> None:
    open_, closed, due = (poll(club, entries) for _ in range(3))
    as_moe.post(url(club, closed, "close/"))
    let_expire(due)
    assert ids(as_bob.get(url(club), {"status": "open"})) == [open_.pk]
    assert ids(as_bob.get(url(club), {"status": "closed"})) == [due.pk, closed.pk]


@pytest.mark.parametrize("query", [{"status": "due"}, {"status": ""}, {"state": "open"}, {"ordering": "title"}])
def test_invalid_parameter_is_rejected(as_bob: APIClient, club: Club, query: dict[str, str]) -> None:
    assert bad_parameters(as_bob.get(url(club), query)) == set(query)


def test_list_excludes_other_clubs(as_alice: APIClient, club: Club, private_club: Club, entries: list[Entry]) -> None:
    poll(club, entries)
    assert ids(as_alice.get(url(private_club))) == []


@pytest.mark.parametrize("count", [3, 300])
def test_list_query_count_is_constant(
    as_bob: APIClient,
    club: Club,
    alice: User,
    bob: User,
    entries: list[Entry],
    count: int,
    django_assert_num_queries: Any,
) -> None:
    closes_at = timezone.now() + datetime.timedelta(days=1)
    common = {"club": club, "title": "T", "method": "ranked", "closes_at": closes_at, "created_by": alice}
    Ballot.objects.bulk_create(Ballot(**common, status="closed" if n % 2 else "open") for n in range(count))
    for ballot in Ballot.objects.all():
        Candidate.objects.bulk_create(Candidate(ballot=ballot, position=n, entry=e) for n, e in enumerate(entries))
        Vote.objects.bulk_create(Vote(ballot=ballot, user=user, positions=[1, 0]) for user in (alice, bob))
    # 1 session with user, 2 club with the caller's rank, 3 due ballots (none), 4 ballots with authors and number of
    # voters, 5 candidates, 6 the caller's votes
    with django_assert_num_queries(6):
        response = as_bob.get(url(club), {"page_size": 100}).json()
    assert len(response["results"]) == min(count, 100)
    assert {row["voters_count"] for row in response["results"] if row["status"] == "open"} == {2}
    # The same for one ballot.
    with django_assert_num_queries(6):
        as_bob.get(url(club, response["results"][0]["id"]))


def test_list_etag_changes_when_ballot_closes(as_bob: APIClient, club: Club, entries: list[Entry]) -> None:
    ballot = poll(club, entries)
    etag = as_bob.get(url(club))["ETag"]
    assert as_bob.get(url(club), headers={"If-None-Match": etag}).status_code == 304
    let_expire(ballot)
    assert as_bob.get(url(club), headers={"If-None-Match": etag}).status_code == 200


def test_open_ballots_of_several_clubs_take_one_query(
    club: Club, private_club: Club, entries: list[Entry], propose: Callable[..., Entry], django_assert_num_queries: Any
) -> None:
    others = [propose(title, to=private_club) for title in ("A", "B")]
    second, first = poll(club, entries), poll(private_club, others)
    Ballot.objects.filter(pk=first.pk).update(closes_at=timezone.now() + datetime.timedelta(hours=1))
    due, closed = poll(club, entries), poll(club, entries)
    let_expire(due)
    closed.close(by=club.owner)
    with django_assert_num_queries(1):
        assert list(Ballot.objects.open_in_clubs([club.pk, private_club.pk])) == [first, second]
    assert list(Ballot.objects.open_in_clubs([private_club.pk])) == [first]
    assert list(Ballot.objects.open_in_clubs([])) == []


@pytest.mark.parametrize("method", ["approval", "ranked"])
def test_result_can_be_verified_by_any_member(
    as_bob: APIClient,
    as_moe: APIClient,
    club: Club,
    entries: list[Entry],
    propose: Callable[..., Entry],
    voters: Callable[[int], list[APIClient]],
    method: str,
) -> None:
    """`ballots` and the creation times of the proposals give the same rounds and winner."""
    entries += [propose(title) for title in ("Evelina", "Cecilia")]
    clients, field = voters(9), {"approval": "approved", "ranked": "ranking"}[method]
    for seed in range(6):
        Entry.objects.update(status="proposed")
        rng = random.Random(seed)
        ballot = poll(club, rng.sample(entries, len(entries)), method=method)
        for client in clients:
            vote = [entry.pk for entry in rng.sample(entries, rng.randint(1, 4))]
            assert client.put(url(club, ballot, "vote/"), {field: vote}).status_code == 200
        as_moe.post(url(club, ballot, "close/"))
        listed = as_bob.get(f"/api/v1/clubs/{club.pk}/books/").json()["results"]
        result = as_bob.get(url(club, ballot)).json()["result"]
        stood = [int(pk) for pk in result["rounds"][0]["counts"]]
        by_age = sorted((row["created_at"], row["id"]) for row in listed if row["id"] in stood)
        again = counting.COUNTERS[method]([pk for _at, pk in by_age], result["ballots"])
        assert result["winner"] == again.winner
        assert result["rounds"] == [
            {"counts": {str(pk): n for pk, n in r.counts.items()}, "eliminated": r.eliminated, "exhausted": r.exhausted}
            for r in again.rounds
        ]
