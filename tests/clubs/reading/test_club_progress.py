"""Progress of members: list, mean and `on_track`."""

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from accounts.models import User
from clubs.models import Club, Entry
from clubs.roles import MembershipStatus
from tests.clubs.helpers import bring_in
from tests.clubs.reading.helpers import status_and_code, url

PutOnList = Callable[..., Entry]


@pytest.fixture
def entry(put_on_list: PutOnList) -> Entry:
    return put_on_list("Emma", status="reading")


@pytest.fixture
def address(club: Club, entry: Entry) -> str:
    return url(club, entry, "progress/")


def get_progress(client: APIClient, address: str) -> tuple[dict[str, float], float | None]:
    """Return the percentage of each user, in list order, and the mean."""
    page = client.get(address).json()
    return {row["user"]["username"]: row["percent"] for row in page["results"]}, page["mean_percent"]


def on_track(client: APIClient, address: str) -> list[bool | None]:
    return [row["on_track"] for row in client.get(address).json()["results"]]


def test_list_is_ordered_by_progress(
    as_bob: APIClient, as_alice: APIClient, as_moe: APIClient, bob: User, address: str
) -> None:
    as_bob.put(address, {"percent": 10})
    as_alice.put(address, {"percent": 90})
    as_moe.put(address, {"percent": 10})
    page = as_bob.get(address).json()
    assert list(page) == ["next", "previous", "results", "mean_percent"]
    assert [row["user"]["username"] for row in page["results"]] == ["alice", "moe", "bob"]
    row = page["results"][2]
    assert row.pop("updated_at").endswith("Z")
    user_summary = {"id": bob.pk, "username": "bob", "display_name": "Bob", "avatar_url": None}
    assert row == {"user": user_summary, "percent": 10, "stopped": False, "on_track": None}
    first = as_bob.get(address, {"page_size": 2}).json()
    second = as_bob.get(first["next"]).json()
    assert [row["user"]["username"] for row in second["results"]] == ["bob"]
    assert second["mean_percent"] == first["mean_percent"]


def test_member_without_progress_counts_as_zero(as_bob: APIClient, as_alice: APIClient, address: str) -> None:
    assert get_progress(as_bob, address) == ({}, 0)
    as_bob.put(address, {"percent": 50})
    # Three members: 50, nothing, nothing.
    assert get_progress(as_alice, address) == ({"bob": 50}, 16.67)


def test_hidden_progress_is_not_counted(
    as_bob: APIClient, as_alice: APIClient, as_moe: APIClient, club: Club, entry: Entry, address: str
) -> None:
    as_bob.put(address, {"percent": 100, "hidden": True})
    as_alice.put(address, {"percent": 50})
    assert get_progress(as_alice, address) == ({"alice": 50}, 25)
    # Own hidden progress is listed but not counted.
    assert get_progress(as_bob, address) == ({"bob": 100, "alice": 50}, 25)
    assert as_bob.get(url(club, entry)).json()["members_finished"] == 0
    as_alice.put(address, {"percent": 50, "hidden": True})
    as_moe.put(address, {"percent": 50, "hidden": True})
    assert get_progress(as_moe, address) == ({"moe": 50}, None)


@pytest.mark.parametrize("how", ["leaves", "removed", "banned"])
def test_former_member_is_neither_listed_nor_counted(
    as_bob: APIClient,
    as_alice: APIClient,
    as_charlie: APIClient,
    club: Club,
    entry: Entry,
    alice: User,
    charlie: User,
    address: str,
    how: str,
) -> None:
    bring_in(club, charlie)
    as_charlie.put(address, {"percent": 100})
    as_bob.put(address, {"percent": 30})
    assert get_progress(as_bob, address) == ({"charlie": 100, "bob": 30}, 32.5)
    row = club.get_membership(charlie)
    if how == "leaves":
        club.leave(charlie)
    elif how == "removed":
        row.remove(by=alice)
    else:
        row.update_membership(by=alice, status=MembershipStatus.BANNED)
    assert get_progress(as_bob, address) == ({"bob": 30}, 10)
    assert as_alice.get(url(club, entry)).json()["members_finished"] == 0
    if how != "banned":
        bring_in(club, charlie)
        assert get_progress(as_bob, address) == ({"charlie": 100, "bob": 30}, 32.5)


def test_on_track_is_null_without_percent_milestones(
    as_bob: APIClient, as_moe: APIClient, club: Club, entry: Entry, address: str
) -> None:
    as_bob.put(address, {"percent": 5})
    assert on_track(as_bob, address) == [None]
    as_moe.post(url(club, entry, "milestones/"), {"title": "I", "up_to_chapter": 3, "due_on": "2020-01-01"})
    assert on_track(as_bob, address) == [None]


def test_on_track_compares_with_the_latest_due_milestone(
    as_bob: APIClient, as_moe: APIClient, club: Club, entry: Entry, address: str
) -> None:
    schedule = url(club, entry, "milestones/")
    for percent, day in ((80, "2027-03-01"), (20, "2027-01-01"), (40, "2027-02-01"), (30, "2027-02-01")):
        as_moe.post(schedule, {"title": "I", "up_to_percent": percent, "due_on": day})

    def seen(day: str, percent: float) -> bool | None:
        # Noon in UTC: the same day in Sao Paulo.
        with time_machine.travel(f"{day}T12:00:00Z", tick=False):
            as_bob.put(address, {"percent": percent})
            return on_track(as_bob, address)[0]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("accounts.authentication.SessionTokenAuthentication.authenticate", signed_in_as("bob"))
        assert seen("2026-12-31", 0) is True
        assert seen("2027-01-01", 19.99) is False
        assert seen("2027-01-01", 20) is True
        # The higher of two milestones on the same day counts.
        assert seen("2027-02-01", 39.99) is False
        assert seen("2027-02-01", 40) is True
        assert seen("2027-02-28", 79) is True
        assert seen("2027-03-01", 79) is False


def test_on_track_uses_the_club_time_zone(
    as_bob: APIClient, as_moe: APIClient, club: Club, entry: Entry, address: str
) -> None:
    as_moe.post(url(club, entry, "milestones/"), {"title": "I", "up_to_percent": 50, "due_on": "2027-01-02"})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("accounts.authentication.SessionTokenAuthentication.authenticate", signed_in_as("bob"))
        # Sao Paulo is three hours behind UTC.
        for moment, track in (("2027-01-02T02:59:59Z", True), ("2027-01-02T03:00:00Z", False)):
            with time_machine.travel(moment, tick=False):
                as_bob.put(address, {"percent": 10})
                assert on_track(as_bob, address) == [track]
        Club.objects.filter(pk=club.pk).update(timezone="Pacific/Kiritimati")
        with time_machine.travel("2027-01-01T10:00:00Z", tick=False):
            assert on_track(as_bob, address) == [False]


def signed_in_as(username: str) -> Callable[..., Any]:
    """Return an `authenticate` without tokens, which would expire during time travel."""
    return lambda self, request: (User.objects.get(username=username), None)


def test_list_requires_membership(
    anonymous: APIClient,
    as_bob: APIClient,
    as_charlie: APIClient,
    private_club: Club,
    put_on_list: PutOnList,
    address: str,
) -> None:
    assert anonymous.get(address).status_code == 401
    assert status_and_code(as_charlie.get(address)) == (403, "members_only")
    secret = url(private_club, put_on_list("Secret", to=private_club), "progress/")
    assert status_and_code(as_charlie.get(secret)) == (404, "not_found")
    assert as_bob.get(secret).status_code == 200


@pytest.mark.parametrize("count", [3, 60])
def test_list_query_count_is_constant(
    as_bob: APIClient,
    club: Club,
    entry: Entry,
    make_user: Any,
    address: str,
    count: int,
    django_assert_num_queries: Any,
) -> None:
    for n in range(count):
        user = make_user(f"reader{n}")
        bring_in(club, user)
        entry.progress.create(user=user, percent=n, unit="percent", amount=n, total=100)
    # Session with user, club with membership, entry, progress with users, percentage due, mean (two).
    with django_assert_num_queries(7):
        page = as_bob.get(address, {"page_size": 100}).json()
    assert len(page["results"]) == count
