"""Removing entries."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from clubs.models import Club, Entry, Milestone, Progress
from tests.clubs.helpers import bring_in
from tests.clubs.reading.helpers import assert_counted, status_and_code, titles, url

PutOnList = Callable[..., Entry]


@pytest.mark.parametrize(("removed", "remaining"), [(0, "BCD"), (1, "ACD"), (3, "ABC")])
def test_delete_closes_the_gap_in_positions(
    as_moe: APIClient, club: Club, put_on_list: PutOnList, removed: int, remaining: str
) -> None:
    entries = [put_on_list(title) for title in "ABCD"]
    assert as_moe.delete(url(club, entries[removed])).status_code == 204
    assert titles(as_moe.get(url(club))) == list(remaining)
    assert status_and_code(as_moe.delete(url(club, entries[removed]))) == (404, "not_found")


def test_proposer_can_delete_only_while_proposed(
    as_bob: APIClient, as_moe: APIClient, club: Club, put_on_list: PutOnList, bob: User
) -> None:
    entry, other = put_on_list("Emma", by=bob), put_on_list("Persuasion", by=bob)
    as_moe.patch(url(club, other), {"status": "planned"})
    assert status_and_code(as_bob.delete(url(club, other))) == (403, "moderators_only")
    assert as_bob.delete(url(club, entry)).status_code == 204
    assert titles(as_bob.get(url(club))) == ["Persuasion"]


def test_delete_by_others_is_forbidden(
    anonymous: APIClient,
    as_charlie: APIClient,
    client_of: Callable[[User | None], APIClient],
    make_user: Callable[..., User],
    club: Club,
    put_on_list: PutOnList,
    bob: User,
) -> None:
    carol = make_user("carol")
    bring_in(club, carol)
    entry = put_on_list("Emma", by=bob)
    assert anonymous.delete(url(club, entry)).status_code == 401
    assert status_and_code(as_charlie.delete(url(club, entry))) == (403, "members_only")
    assert status_and_code(client_of(carol).delete(url(club, entry))) == (403, "moderators_only")


def test_delete_removes_milestones_and_progress(
    as_moe: APIClient, as_bob: APIClient, club: Club, put_on_list: PutOnList
) -> None:
    entry = put_on_list("Emma", status="reading")
    as_bob.put(url(club, entry, "progress/"), {"percent": 5})
    as_moe.post(url(club, entry, "milestones/"), {"title": "I", "up_to_percent": 5, "due_on": "2027-01-01"})
    assert as_moe.delete(url(club, entry)).status_code == 204
    assert not Milestone.objects.exists()
    assert not Progress.objects.exists()
    assert_counted()
