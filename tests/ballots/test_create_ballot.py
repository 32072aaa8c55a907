"""Creating, reading and deleting ballots."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from activity.models import Event, Notification, ObjectRef
from ballots.models import Ballot
from clubs.models import Club, Entry
from core.tasks.models import QueuedTask
from core.tasks.worker import run_pending
from tests.ballots.helpers import body, later, let_expire, poll, url
from tests.clubs.helpers import bad_fields, problem

Propose = Callable[..., Entry]


@pytest.mark.parametrize("method", ["approval", "ranked"])
def test_moderator_creates_ballot(
    as_moe: APIClient, as_bob: APIClient, moe: User, club: Club, entries: list[Entry], method: str
) -> None:
    sent = body(entries[::-1], method=method, quorum_percent=50)
    response = as_moe.post(url(club), sent)
    assert response.status_code == 201, response.content
    shown = dict(response.json())
    assert shown.pop("created_at").endswith("Z")
    assert shown.pop("id") == Ballot.objects.get().pk
    assert shown.pop("created_by")["id"] == moe.pk
    assert shown.pop("max_cannot_percent") is None
    unknown = {"status": "open", "voters_count": 0, "my_vote": None, "result": None, "closed_at": None}
    assert shown == sent | unknown
    assert as_bob.get(url(club, Ballot.objects.get())).json() == response.json()
    assert as_bob.get(url(club)).json()["results"] == [response.json()]


def test_ballot_may_close_on_the_last_day_of_2100(as_moe: APIClient, club: Club, entries: list[Entry]) -> None:
    response = as_moe.post(url(club), body(entries, closes_at="2100-12-31T23:59:59Z"))
    assert (response.status_code, response.json()["closes_at"]) == (201, "2100-12-31T23:59:59Z")


def test_quorum_defaults_to_zero(as_moe: APIClient, club: Club, entries: list[Entry]) -> None:
    assert as_moe.post(url(club), body(entries)).json()["quorum_percent"] == 0


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"title": ""}, {"title": "blank"}),
        ({"title": "\u200b"}, {"title": "invisible"}),
        ({"title": "x" * 201}, {"title": "max_length"}),
        ({"method": "borda"}, {"method": "invalid_choice"}),
        ({"candidates": []}, {"candidates": "min_length"}),
        ({"candidates": "all"}, {"candidates": "not_a_list"}),
        ({"candidates": list(range(1, 52))}, {"candidates": "max_length"}),
        ({"candidates": [1, True]}, {"candidates.1": "invalid"}),
        ({"candidates": [10**30, 7]}, {"candidates.0": "does_not_exist"}),
        ({"candidates": [0, -1]}, {"candidates.0": "does_not_exist"}),
        ({"closes_at": "tomorrow"}, {"closes_at": "invalid"}),
        ({"closes_at": "2099-01-01T00:00:00Z\0"}, {"closes_at": "invalid"}),
        ({"closes_at": "2099-W01-1T00:00:00Z"}, {"closes_at": "invalid"}),
        ({"closes_at": "20990101T000000Z"}, {"closes_at": "invalid"}),
        ({"closes_at": "2099-01-01T00:00:00"}, {"closes_at": "no_offset"}),
        ({"closes_at": "2020-01-01T00:00:00Z"}, {"closes_at": "past"}),
        ({"closes_at": "2101-01-01T00:00:00Z"}, {"closes_at": "too_far"}),
        ({"closes_at": "9999-12-31T23:59:59-14:00"}, {"closes_at": "overflow"}),
        ({"closes_at": None}, {"closes_at": "null"}),
        ({"quorum_percent": 101}, {"quorum_percent": "max_value"}),
        ({"quorum_percent": -1}, {"quorum_percent": "min_value"}),
    ],
)
def test_invalid_field_is_rejected(
    as_moe: APIClient, club: Club, entries: list[Entry], changes: dict[str, Any], errors: dict[str, str]
) -> None:
    assert bad_fields(as_moe.post(url(club), body(entries) | changes)) == errors
    assert not Ballot.objects.exists()


def test_closes_at_without_offset_is_rejected(as_moe: APIClient, club: Club, entries: list[Entry]) -> None:
    naive = later(days=1).removesuffix("Z")
    assert bad_fields(as_moe.post(url(club), body(entries, closes_at=naive))) == {"closes_at": "no_offset"}


def test_required_fields(as_moe: APIClient, club: Club) -> None:
    required = ("title", "method", "candidates", "closes_at")
    assert bad_fields(as_moe.post(url(club), {})) == dict.fromkeys(required, "required")


@pytest.mark.parametrize("status", ["planned", "reading", "finished", "dropped"])
def test_candidates_must_be_proposed(
    as_moe: APIClient, club: Club, entries: list[Entry], propose: Propose, status: str
) -> None:
    other = propose("Evelina", status=status)
    assert bad_fields(as_moe.post(url(club), body([*entries, other]))) == {"candidates.3": "not_proposed"}


def test_candidates_must_be_distinct_and_at_least_two(as_moe: APIClient, club: Club, entries: list[Entry]) -> None:
    twins = [entries[0], entries[1], entries[0]]
    assert bad_fields(as_moe.post(url(club), body(twins))) == {"candidates.2": "duplicate"}
    assert bad_fields(as_moe.post(url(club), body(entries[:1]))) == {"candidates": "min_length"}


def test_candidate_of_another_club_is_rejected(
    as_alice: APIClient, club: Club, private_club: Club, entries: list[Entry], propose: Propose
) -> None:
    hidden = propose("Secret", to=private_club)
    refused = as_alice.post(url(club), body([entries[0], hidden]))
    absent = as_alice.post(url(club), body([entries[0]], candidates=[entries[0].pk, 10**9]))
    assert bad_fields(refused) == bad_fields(absent) == {"candidates.1": "does_not_exist"}
    assert refused.json()["errors"] == absent.json()["errors"]


def test_fifty_candidates_are_accepted(as_moe: APIClient, club: Club, propose: Propose) -> None:
    many = [propose(f"T{n}") for n in range(50)]
    assert as_moe.post(url(club), body(many)).status_code == 201


def test_idempotency_key_creates_one_ballot(as_moe: APIClient, club: Club, entries: list[Entry]) -> None:
    sent, key = body(entries), {"Idempotency-Key": "k1"}
    first = as_moe.post(url(club), sent, headers=key)
    second = as_moe.post(url(club), sent, headers=key)
    assert (second.status_code, second.json()) == (201, first.json())
    assert Ballot.objects.count() == 1


def test_create_notifies_members_and_records_event(
    as_moe: APIClient, moe: User, alice: User, bob: User, club: Club, entries: list[Entry]
) -> None:
    pk = as_moe.post(url(club), body(entries)).json()["id"]
    run_pending()
    event = Event.objects.get(verb="ballot.opened")
    assert (event.actor_id, event.club_id, event.object_ref) == (moe.pk, club.pk, ObjectRef("ballot", pk, "Next?"))
    notifications = Notification.objects.filter(kind="ballot_opened")
    assert {row.user_id for row in notifications} == {alice.pk, bob.pk}
    assert {row.object_ref for row in notifications} == {ObjectRef("ballot", pk, "Next?")}


def test_notifications_name_their_own_ballot(
    as_moe: APIClient, as_bob: APIClient, club: Club, entries: list[Entry]
) -> None:
    for title in ("Spring", "Autumn"):
        assert as_moe.post(url(club), body(entries, title=title)).status_code == 201
    run_pending()
    notifications = as_bob.get("/api/v1/users/me/notifications/").json()["results"]
    titles = [row["object"]["title"] for row in notifications if row["kind"] == "ballot_opened"]
    assert sorted(titles) == ["Autumn", "Spring"]


def test_moderator_deletes_ballot(
    as_moe: APIClient, as_bob: APIClient, moe: User, club: Club, entries: list[Entry]
) -> None:
    ballot = poll(club, entries)
    as_bob.put(url(club, ballot, "vote/"), {"ranking": [entries[0].pk]})
    assert problem(as_bob.delete(url(club, ballot)), 403, "moderators_only")
    assert as_moe.delete(url(club, ballot)).status_code == 204
    for gone in (
        as_bob.get(url(club, ballot)),
        as_moe.delete(url(club, ballot)),
        as_bob.put(url(club, ballot, "vote/"), {"ranking": [entries[0].pk]}),
        as_moe.post(url(club, ballot, "close/")),
    ):
        problem(gone, 404, "not_found")
    assert Event.objects.get(verb="ballot.deleted").actor_id == moe.pk
    let_expire(ballot)
    run_pending()
    assert not QueuedTask.objects.exclude(status="SUCCESSFUL").exists()
    assert not Event.objects.filter(verb="ballot.closed").exists()


def test_ballot_under_another_club_is_not_found(
    as_alice: APIClient, club: Club, private_club: Club, entries: list[Entry]
) -> None:
    ballot = poll(club, entries)
    vote = {"ranking": [entries[0].pk]}
    for method, rest, sent in (
        ("get", "", None),
        ("delete", "", None),
        ("put", "vote/", vote),
        ("delete", "vote/", None),
        ("post", "close/", None),
    ):
        problem(getattr(as_alice, method)(url(private_club, ballot, rest), sent), 404, "not_found")
        problem(getattr(as_alice, method)(url(club, 10**25, rest), sent), 404, "not_found")


def test_delete_with_stale_if_match_is_rejected(
    as_moe: APIClient, as_bob: APIClient, club: Club, entries: list[Entry]
) -> None:
    ballot = poll(club, entries)
    etag = as_moe.get(url(club, ballot))["ETag"]
    as_bob.put(url(club, ballot, "vote/"), {"ranking": [entries[0].pk]})
    assert as_moe.delete(url(club, ballot), headers={"If-Match": etag}).status_code == 412
    etag = as_moe.get(url(club, ballot))["ETag"]
    assert as_moe.delete(url(club, ballot), headers={"If-Match": etag}).status_code == 204


def test_club_deletion_deletes_ballots(as_alice: APIClient, club: Club, entries: list[Entry]) -> None:
    poll(club, entries).vote(by=club.owner, choices=[entries[0].pk])
    assert as_alice.delete(f"/api/v1/clubs/{club.pk}/").status_code == 204
    assert not Ballot.objects.exists()


def test_patch_is_not_allowed(as_moe: APIClient, club: Club, entries: list[Entry]) -> None:
    ballot = poll(club, entries)
    problem(as_moe.patch(url(club, ballot), {"title": "Other"}), 405, "method_not_allowed")
    problem(as_moe.get(url(club, ballot, "vote/")), 405, "method_not_allowed")


def test_club_is_limited_to_twenty_open_ballots(
    as_moe: APIClient, alice: User, club: Club, entries: list[Entry], make_club: Callable[..., Club], propose: Propose
) -> None:
    polls = [poll(club, entries) for _ in range(20)]
    problem(as_moe.post(url(club), body(entries)), 409, "too_many_ballots")
    # Invalid fields are reported first.
    unknown = {"candidates": [entries[0].pk, 10**6]}
    assert bad_fields(as_moe.post(url(club), body(entries) | unknown)) == {"candidates.1": "does_not_exist"}
    polls[0].close(by=alice)
    assert as_moe.post(url(club), body(entries[1:])).status_code == 201
    let_expire(polls[1])
    assert as_moe.post(url(club), body(entries[1:])).status_code == 201
    problem(as_moe.post(url(club), body(entries[1:])), 409, "too_many_ballots")
    other = make_club(name="Day readers")
    theirs = [propose(title, to=other) for title in ("Sylvia", "Lady Susan")]
    assert as_moe.post(url(other), body(theirs)).status_code == 201
