"""Voting, changing and withdrawing a vote."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from ballots.models import Vote
from clubs.models import Club, Entry
from tests.ballots.helpers import let_expire, poll, url
from tests.clubs.helpers import bad_fields, bring_in, problem

FIELDS = {"approval": "approved", "ranked": "ranking"}


@pytest.mark.parametrize("method", FIELDS)
def test_member_votes_and_changes_vote(
    as_bob: APIClient, as_moe: APIClient, club: Club, entries: list[Entry], method: str
) -> None:
    ballot = poll(club, entries, method=method)
    for choices in ([2, 0], [0, 2], [1], [0, 1, 2]):
        vote = {FIELDS[method]: [entries[n].pk for n in choices]}
        response = as_bob.put(url(club, ballot, "vote/"), vote)
        assert (response.status_code, response.json()) == (200, vote)
        shown = as_bob.get(url(club, ballot)).json()
        assert (shown["my_vote"], shown["voters_count"], shown["result"]) == (vote, 1, None)
    assert as_moe.get(url(club, ballot)).json()["my_vote"] is None


def test_withdraw_vote_is_idempotent(as_bob: APIClient, club: Club, entries: list[Entry]) -> None:
    ballot = poll(club, entries)
    as_bob.put(url(club, ballot, "vote/"), {"ranking": [entries[0].pk]})
    for _ in range(2):
        assert as_bob.delete(url(club, ballot, "vote/")).status_code == 204
        shown = as_bob.get(url(club, ballot)).json()
        assert (shown["my_vote"], shown["voters_count"]) == (None, 0)


@pytest.mark.parametrize("method", FIELDS)
@pytest.mark.parametrize(
    ("choices", "path", "code"),
    [
        ([], "", "empty"),
        (None, "", "null"),
        ("all", "", "not_a_list"),
        ({"0": 1}, "", "not_a_list"),
        (["@0", "@0"], ".1", "duplicate"),
        (["@0", 10**9], ".1", "not_a_candidate"),
        ([10**30], ".0", "not_a_candidate"),
        (["@0", "@other"], ".1", "not_a_candidate"),
        ([True], ".0", "invalid"),
        ([None], ".0", "null"),
        ([[1]], ".0", "invalid"),
        (list(range(1, 52)), "", "max_length"),
    ],
)
def test_invalid_vote_is_rejected(
    as_bob: APIClient,
    club: Club,
    entries: list[Entry],
    propose: Callable[..., Entry],
    method: str,
    choices: Any,
    path: str,
    code: str,
) -> None:
    named = {"@0": entries[0].pk, "@other": propose("Evelina").pk}
    ballot, field = poll(club, entries, method=method), FIELDS[method]
    sent = [named.get(c, c) if isinstance(c, str) else c for c in choices] if isinstance(choices, list) else choices
    assert bad_fields(as_bob.put(url(club, ballot, "vote/"), {field: sent})) == {f"{field}{path}": code}
    assert not Vote.objects.exists()


@pytest.mark.parametrize("method", FIELDS)
def test_field_of_other_method_is_ignored(as_bob: APIClient, club: Club, entries: list[Entry], method: str) -> None:
    ballot, field = poll(club, entries, method=method), FIELDS[method]
    other = next(name for name in FIELDS.values() if name != field)
    sent = {other: [entries[0].pk]}
    assert bad_fields(as_bob.put(url(club, ballot, "vote/"), sent)) == {field: "required"}
    assert as_bob.put(url(club, ballot, "vote/"), sent | {field: [entries[1].pk]}).json() == {field: [entries[1].pk]}


def test_vote_in_closed_ballot_is_rejected(
    as_bob: APIClient, as_moe: APIClient, club: Club, entries: list[Entry]
) -> None:
    early, due = poll(club, entries), poll(club, entries)
    vote = {"ranking": [entries[1].pk]}
    for ballot in (early, due):
        as_bob.put(url(club, ballot, "vote/"), vote)
    as_moe.post(url(club, early, "close/"))
    let_expire(due)
    for ballot in (early, due):
        problem(as_bob.put(url(club, ballot, "vote/"), {"ranking": [entries[2].pk]}), 409, "ballot_closed")
        problem(as_bob.put(url(club, ballot, "vote/"), {"ranking": ["nonsense"]}), 409, "ballot_closed")
        problem(as_bob.delete(url(club, ballot, "vote/")), 409, "ballot_closed")
        assert as_bob.get(url(club, ballot)).json()["my_vote"] == vote


def test_former_member_cannot_vote_and_is_not_counted(
    as_bob: APIClient, as_moe: APIClient, alice: User, bob: User, club: Club, entries: list[Entry]
) -> None:
    ballot = poll(club, entries)
    vote = {"ranking": [entries[0].pk]}
    as_bob.put(url(club, ballot, "vote/"), vote)
    club.get_membership(bob).remove(by=alice)
    problem(as_bob.put(url(club, ballot, "vote/"), vote), 403, "members_only")
    assert as_moe.get(url(club, ballot)).json()["voters_count"] == 0
    bring_in(club, bob)
    assert as_moe.get(url(club, ballot)).json()["voters_count"] == 1


def test_vote_with_stale_if_match_is_rejected(
    as_bob: APIClient, as_moe: APIClient, club: Club, entries: list[Entry]
) -> None:
    ballot, vote = poll(club, entries), {"ranking": [entries[0].pk]}
    old = as_bob.get(url(club, ballot))["ETag"]
    address = url(club, ballot, "vote/")
    as_bob.put(address, vote)
    other = {"ranking": [entries[1].pk]}
    problem(as_bob.put(address, other, headers={"If-Match": old}), 412, "precondition_failed")
    new = as_bob.get(url(club, ballot))["ETag"]
    assert as_bob.put(address, vote, headers={"If-Match": new}).status_code == 200
    as_moe.put(address, vote)
    assert as_bob.put(address, other, headers={"If-Match": new}).status_code == 200
    assert as_bob.delete(address, headers={"If-Match": new}).status_code == 412


def test_account_deletion_deletes_vote(as_bob: APIClient, as_moe: APIClient, club: Club, entries: list[Entry]) -> None:
    ballot = poll(club, entries)
    as_bob.put(url(club, ballot, "vote/"), {"ranking": [entries[0].pk]})
    assert as_bob.delete("/api/v1/users/me/", {"password": "correct horse battery"}).status_code == 204
    assert as_moe.get(url(club, ballot)).json()["voters_count"] == 0
    assert not Vote.objects.exists()


def test_voters_are_counted_for_each_ballot(
    as_bob: APIClient, as_moe: APIClient, club: Club, entries: list[Entry]
) -> None:
    empty, first, second = (poll(club, entries, method="approval") for _ in range(3))
    for client, ballot in ((as_bob, first), (as_bob, second), (as_moe, second)):
        assert client.put(url(club, ballot, "vote/"), {"approved": [entries[0].pk]}).status_code == 200
    shown = [as_bob.get(url(club, ballot)).json()["voters_count"] for ballot in (empty, first, second)]
    assert shown == [0, 1, 2]
