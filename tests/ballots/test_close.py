"""Closing a ballot by a moderator, by a task or by a request, and its result."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from activity.models import Event, Notification
from ballots.models import Ballot
from catalog.merges.services import merge_books
from clubs.models import Club, Entry, EntryChange
from core.tasks.worker import run_pending
from tests.ballots.helpers import let_expire, poll, url
from tests.clubs.helpers import bring_in, problem
from tests.clubs.reading.helpers import assert_counted

Voters = Callable[[int], list[APIClient]]


def cast(club: Club, ballot: Ballot, entries: list[Entry], votes: dict[APIClient, list[int]]) -> None:
    """Vote for the entries with these indexes."""
    field = "approved" if ballot.method == "approval" else "ranking"
    for client, choices in votes.items():
        response = client.put(url(club, ballot, "vote/"), {field: [entries[n].pk for n in choices]})
        assert response.status_code == 200, response.content


def statuses(entries: list[Entry]) -> list[str]:
    return [Entry.objects.get(pk=entry.pk).status for entry in entries]


def test_moderator_closes_ranked_ballot(
    as_moe: APIClient, as_bob: APIClient, moe: User, club: Club, entries: list[Entry], voters: Voters
) -> None:
    a, b, c = (entry.pk for entry in entries)
    ballot = poll(club, entries)
    # A leads, C is eliminated, and its vote makes B the winner; one vote names C only.
    papers = [[0], [0], [0, 1], [1, 0], [1], [2, 1], [1, 2], [2]]
    cast(club, ballot, entries, dict(zip(voters(8), papers, strict=True)))
    response = as_moe.post(url(club, ballot, "close/"))
    assert response.status_code == 200, response.content
    shown = response.json()
    assert (shown["status"], shown["voters_count"]) == ("closed", 8)
    assert shown["closed_at"].endswith("Z")
    result = shown["result"]
    votes = result.pop("ballots")
    assert sorted(votes) == sorted([[a], [a], [a, b], [b, a], [b], [c, b], [b, c], [c]])
    assert result == {
        "outcome": "winner",
        "winner": b,
        "members_count": 11,
        "paused_count": 0,
        "unreachable": [],
        "recounts": [],
        "rounds": [
            {"counts": {str(a): 3, str(b): 3, str(c): 2}, "eliminated": c, "exhausted": 0},
            {"counts": {str(a): 3, str(b): 4}, "eliminated": None, "exhausted": 1},
        ],
    }
    result["ballots"] = votes
    assert as_bob.get(url(club, ballot)).json() == shown
    assert statuses(entries) == ["proposed", "planned", "proposed"]
    change = EntryChange.objects.get(book=entries[1].book, new="planned")
    assert (change.old, change.actor_id) == ("proposed", moe.pk)
    assert_counted()


def test_moderator_closes_approval_ballot(as_moe: APIClient, club: Club, entries: list[Entry], voters: Voters) -> None:
    a, b, c = (entry.pk for entry in entries)
    ballot = poll(club, entries[::-1], method="approval")
    cast(club, ballot, entries, dict(zip(voters(4), [[0, 2], [2, 1], [2], [1, 0]], strict=True)))
    result = as_moe.post(url(club, ballot, "close/")).json()["result"]
    assert (result["outcome"], result["winner"]) == ("winner", c)
    assert result["rounds"] == [{"counts": {str(a): 2, str(b): 2, str(c): 3}, "eliminated": None, "exhausted": 0}]
    assert statuses(entries) == ["proposed", "proposed", "planned"]


@pytest.mark.parametrize("method", ["approval", "ranked"])
def test_tie_is_won_by_older_proposal(
    as_moe: APIClient, club: Club, entries: list[Entry], voters: Voters, method: str
) -> None:
    ballot = poll(club, entries[::-1], method=method)
    cast(club, ballot, entries, dict(zip(voters(3), [[2], [1], [0]], strict=True)))
    assert as_moe.post(url(club, ballot, "close/")).json()["result"]["winner"] == entries[0].pk


def test_due_ballot_is_closed_by_task(as_bob: APIClient, club: Club, entries: list[Entry]) -> None:
    ballot = poll(club, entries)
    cast(club, ballot, entries, {as_bob: [1]})
    run_pending()
    assert Ballot.objects.get().status == "open"
    let_expire(ballot)
    run_pending()
    assert Ballot.objects.get().status == "closed"
    assert statuses(entries) == ["proposed", "planned", "proposed"]
    assert EntryChange.objects.get(new="planned").actor is None
    assert Event.objects.get(verb="ballot.closed").actor is None


@pytest.mark.parametrize("look", ["one", "list", "filtered list", "vote"])
def test_due_ballot_is_closed_by_requests(as_bob: APIClient, club: Club, entries: list[Entry], look: str) -> None:
    ballot = poll(club, entries)
    cast(club, ballot, entries, {as_bob: [1]})
    let_expire(ballot)
    if look == "one":
        shown = as_bob.get(url(club, ballot)).json()
    elif look == "vote":
        problem(as_bob.put(url(club, ballot, "vote/"), {"ranking": [entries[0].pk]}), 409, "ballot_closed")
        shown = as_bob.get(url(club, ballot)).json()
    else:
        assert not as_bob.get(url(club), {"status": "open"}).json()["results"]
        [shown] = as_bob.get(url(club), {"status": "closed"} if look == "filtered list" else {}).json()["results"]
    assert (shown["status"], shown["result"]["winner"]) == ("closed", entries[1].pk)
    # The task has nothing left to do.
    run_pending()
    assert Event.objects.filter(verb="ballot.closed").count() == 1
    assert EntryChange.objects.filter(new="planned").count() == 1


def test_closed_ballot_cannot_be_closed_again(
    as_moe: APIClient, as_bob: APIClient, club: Club, entries: list[Entry]
) -> None:
    early, due = poll(club, entries), poll(club, entries)
    cast(club, early, entries, {as_bob: [1]})
    as_moe.post(url(club, early, "close/"))
    let_expire(due)
    for ballot in (early, due):
        before = as_moe.get(url(club, ballot)).json()
        problem(as_moe.post(url(club, ballot, "close/")), 409, "ballot_closed")
        assert as_moe.get(url(club, ballot)).json() == before


def test_ballot_without_votes_has_no_winner(as_moe: APIClient, club: Club, entries: list[Entry]) -> None:
    ballot = poll(club, entries, quorum_percent=100)
    shown = as_moe.post(url(club, ballot, "close/")).json()
    assert shown["result"] == {
        "outcome": "no_votes",
        "winner": None,
        "members_count": 3,
        "paused_count": 0,
        "unreachable": [],
        "recounts": [],
        "rounds": [],
        "ballots": [],
    }
    assert statuses(entries) == ["proposed"] * 3


@pytest.mark.parametrize(("quorum", "outcome"), [(0, "winner"), (50, "winner"), (51, "no_quorum"), (100, "no_quorum")])
def test_quorum_counts_active_members(
    as_moe: APIClient,
    as_bob: APIClient,
    club: Club,
    entries: list[Entry],
    charlie: User,
    mallory: User,
    make_user: Callable[..., User],
    quorum: int,
    outcome: str,
) -> None:
    """Two of four; pending, banned and former members do not count."""
    bring_in(club, make_user("fourth"))
    for user, status in ((charlie, "pending"), (mallory, "banned"), (make_user("gone"), "left")):
        bring_in(club, user, status=status)
    ballot = poll(club, entries, quorum_percent=quorum)
    cast(club, ballot, entries, {as_bob: [1], as_moe: [1, 2]})
    result = as_moe.post(url(club, ballot, "close/")).json()["result"]
    won = outcome == "winner"
    assert (result["outcome"], result["winner"]) == (outcome, entries[1].pk if won else None)
    assert len(result["ballots"]) == 2
    assert result["rounds"][0]["counts"][str(entries[1].pk)] == 2
    assert statuses(entries) == ["proposed", "planned" if won else "proposed", "proposed"]


@pytest.mark.parametrize("way", ["removed", "banned", "left"])
def test_votes_of_former_members_are_not_counted(
    as_moe: APIClient, as_bob: APIClient, bob: User, alice: User, club: Club, entries: list[Entry], way: str
) -> None:
    ballot = poll(club, entries)
    cast(club, ballot, entries, {as_bob: [2], as_moe: [1]})
    if way == "left":
        assert as_bob.post(f"/api/v1/clubs/{club.pk}/leave/").status_code == 204
    elif way == "banned":
        club.get_membership(bob).update_membership(by=alice, status="banned")
    else:
        club.get_membership(bob).remove(by=alice)
    shown = as_moe.post(url(club, ballot, "close/")).json()
    assert (shown["voters_count"], shown["result"]["ballots"]) == (1, [[entries[1].pk]])
    # Rejoining does not change the count.
    bring_in(club, bob, status="left")
    bring_in(club, bob)
    assert as_moe.get(url(club, ballot)).json() == shown


@pytest.mark.parametrize("method", ["approval", "ranked"])
@pytest.mark.parametrize("way", ["removed", "planned", "dropped"])
def test_entries_no_longer_proposed_are_not_counted(
    as_moe: APIClient, as_bob: APIClient, as_alice: APIClient, club: Club, entries: list[Entry], method: str, way: str
) -> None:
    a, b, c = (entry.pk for entry in entries)
    ballot = poll(club, entries, method=method)
    cast(club, ballot, entries, {as_bob: [0, 1], as_moe: [0, 1], as_alice: [0]})
    address = f"/api/v1/clubs/{club.pk}/books/{a}/"
    if way == "removed":
        assert as_moe.delete(address).status_code == 204
    else:
        assert as_moe.patch(address, {"status": way}).status_code == 200
    shown = as_moe.post(url(club, ballot, "close/")).json()
    assert shown["candidates"] == [a, b, c]
    assert (shown["voters_count"], shown["my_vote"][{"approval": "approved", "ranked": "ranking"}[method]]) == (
        3,
        [a, b],
    )
    assert sorted(shown["result"].pop("ballots")) == [[], [b], [b]]
    assert shown["result"] == {
        "outcome": "winner",
        "winner": b,
        "members_count": 3,
        "paused_count": 0,
        "unreachable": [],
        "recounts": [],
        "rounds": [{"counts": {str(b): 2, str(c): 0}, "eliminated": None, "exhausted": 1}],
    }


def test_ballot_without_proposed_entries_has_no_winner(
    as_moe: APIClient, as_bob: APIClient, club: Club, entries: list[Entry]
) -> None:
    ballot = poll(club, entries[:2])
    cast(club, ballot, entries, {as_bob: [0, 1]})
    for entry in entries[:2]:
        as_moe.patch(f"/api/v1/clubs/{club.pk}/books/{entry.pk}/", {"status": "dropped"})
    result = as_moe.post(url(club, ballot, "close/")).json()["result"]
    assert (result["outcome"], result["winner"], result["rounds"]) == ("no_votes", None, [])
    assert statuses(entries) == ["dropped", "dropped", "proposed"]


def test_winner_is_excluded_from_other_ballots(
    as_moe: APIClient, as_bob: APIClient, club: Club, entries: list[Entry]
) -> None:
    first, second = poll(club, entries), poll(club, entries)
    for ballot in (first, second):
        cast(club, ballot, entries, {as_bob: [1, 2]})
    let_expire(first, second)
    results = [row["result"]["winner"] for row in as_moe.get(url(club)).json()["results"]]
    assert results == [entries[2].pk, entries[1].pk]


def test_result_survives_deleted_entries(
    as_moe: APIClient, as_bob: APIClient, club: Club, entries: list[Entry]
) -> None:
    ballot = poll(club, entries)
    cast(club, ballot, entries, {as_bob: [1]})
    before = as_moe.post(url(club, ballot, "close/")).json()
    for entry in entries:
        as_moe.delete(f"/api/v1/clubs/{club.pk}/books/{entry.pk}/")
    assert as_moe.get(url(club, ballot)).json() == before


def test_merged_entry_keeps_its_votes(
    as_moe: APIClient, as_bob: APIClient, alice: User, club: Club, entries: list[Entry]
) -> None:
    emma, persuasion, sanditon = entries
    with_both, with_one = poll(club, entries), poll(club, entries[:2])
    for ballot in (with_both, with_one):
        cast(club, ballot, entries, {as_bob: [1]})
    merge_books(target=sanditon.book, source=persuasion.book, by=alice, reason="The same book")
    shown = as_bob.get(url(club, with_one)).json()
    assert (shown["candidates"], shown["my_vote"]) == ([emma.pk, sanditon.pk], {"ranking": [sanditon.pk]})
    assert as_moe.post(url(club, with_both, "close/")).json()["result"]["outcome"] == "no_votes"
    assert as_moe.post(url(club, with_one, "close/")).json()["result"]["winner"] == sanditon.pk


def test_times_considered_counts_lost_ballots(
    as_moe: APIClient, as_bob: APIClient, club: Club, entries: list[Entry]
) -> None:
    for n in (0, 1):
        ballot = poll(club, [entry for entry in entries if entry.status == "proposed"])
        cast(club, ballot, entries, {as_bob: [n]})
        as_moe.post(url(club, ballot, "close/"))
        entries[n].refresh_from_db()
    rows = as_bob.get(f"/api/v1/clubs/{club.pk}/books/").json()["results"]
    assert [(row["status"], row["times_considered"]) for row in rows] == [
        ("planned", 0),
        ("planned", 1),
        ("proposed", 2),
    ]


def test_close_notifies_members(
    as_moe: APIClient, as_bob: APIClient, moe: User, alice: User, bob: User, club: Club, entries: list[Entry]
) -> None:
    closed, due = poll(club, entries), poll(club, entries)
    as_moe.post(url(club, closed, "close/"))
    let_expire(due)
    as_bob.get(url(club))
    run_pending()
    notified = {ballot.pk: set() for ballot in (closed, due)}
    for row in Notification.objects.filter(kind="ballot_closed"):
        notified[row.object_id].add(row.user_id)
    # The moderator who closes it is not notified; a request that closes a due ballot has no actor.
    assert notified == {closed.pk: {alice.pk, bob.pk}, due.pk: {alice.pk, bob.pk, moe.pk}}
    events = Event.objects.filter(verb="ballot.closed").values_list("object_id", "actor")
    assert set(events) == {(closed.pk, moe.pk), (due.pk, None)}


def test_interrupted_close_is_rolled_back(
    as_moe: APIClient, as_bob: APIClient, club: Club, entries: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    ballot = poll(club, entries)
    cast(club, ballot, entries, {as_bob: [1]})

    def interrupt(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("interrupted")

    with monkeypatch.context() as patched:
        patched.setattr(Entry, "update_entry", interrupt)
        assert as_moe.post(url(club, ballot, "close/")).status_code == 500
    assert as_moe.get(url(club, ballot)).json()["result"] is None
    assert not Event.objects.filter(verb="ballot.closed").exists()
    assert as_moe.post(url(club, ballot, "close/")).json()["result"]["winner"] == entries[1].pk
