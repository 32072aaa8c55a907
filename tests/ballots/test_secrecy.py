"""Secrecy of votes: who voted what is never revealed, and before the close only the number of voters."""

import json
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from activity.models import Event, Notification
from ballots.models import Ballot, Vote
from clubs.models import Club, Entry, EntryChange
from core.tasks.models import QueuedTask
from core.tasks.worker import run_pending
from tests.ballots.helpers import poll, url

V1 = "/api/v1/"
METHODS = {"approval": "approved", "ranked": "ranking"}


def pages(club: Club, ballot: Ballot) -> list[str]:
    """URLs whose responses might reveal a ballot to a member."""
    return [
        url(club),
        url(club, ballot),
        f"{V1}clubs/",
        f"{V1}clubs/{club.pk}/",
        f"{V1}clubs/{club.pk}/books/",
        f"{V1}clubs/{club.pk}/stats/",
        f"{V1}clubs/{club.pk}/activity/",
        f"{V1}clubs/{club.pk}/members/",
        f"{V1}users/me/activity/",
        f"{V1}users/me/notifications/",
    ]


def read(client: APIClient, urls: list[str]) -> dict[str, tuple[bytes, str]]:
    responses = {url: client.get(url) for url in urls}
    assert {response.status_code for response in responses.values()} == {200}
    return {url: (response.content, response["ETag"]) for url, response in responses.items()}


@pytest.mark.parametrize("method", METHODS)
def test_open_ballot_reveals_only_the_number_of_voters(
    as_bob: APIClient, as_moe: APIClient, as_alice: APIClient, club: Club, entries: list[Entry], method: str
) -> None:
    """For moderators and the owner too: one response differs by one number, the others do not differ."""
    ballot = poll(club, entries, method=method)
    run_pending()
    before = {client: read(client, pages(club, ballot)) for client in (as_moe, as_alice)}
    assert as_bob.put(url(club, ballot, "vote/"), {METHODS[method]: [entries[2].pk]}).status_code == 200
    run_pending()
    for client, seen in before.items():
        now = read(client, pages(club, ballot))
        assert {page for page in seen if seen[page] != now[page]} == {url(club), url(club, ballot)}
        was, is_ = (json.loads(responses[url(club, ballot)][0]) for responses in (seen, now))
        assert is_ == was | {"voters_count": 1}


@pytest.mark.parametrize("method", METHODS)
def test_changed_vote_is_not_visible(
    as_bob: APIClient, as_moe: APIClient, club: Club, entries: list[Entry], method: str
) -> None:
    """It changes no number, no ETag and no order."""
    ballot = poll(club, entries, method=method)
    as_bob.put(url(club, ballot, "vote/"), {METHODS[method]: [entries[2].pk]})
    run_pending()
    before = read(as_moe, pages(club, ballot))
    as_bob.put(url(club, ballot, "vote/"), {METHODS[method]: [entries[0].pk, entries[1].pk]})
    run_pending()
    assert read(as_moe, pages(club, ballot)) == before


def test_votes_are_not_recorded(as_bob: APIClient, club: Club, entries: list[Entry]) -> None:
    ballot = poll(club, entries)
    run_pending()
    tables = (Event, Notification, EntryChange, QueuedTask)
    before = [model.objects.count() for model in tables]
    as_bob.put(url(club, ballot, "vote/"), {"ranking": [entries[2].pk]})
    as_bob.delete(url(club, ballot, "vote/"))
    as_bob.put(url(club, ballot, "vote/"), {"ranking": [entries[1].pk]})
    run_pending()
    assert [model.objects.count() for model in tables] == before


def test_votes_are_not_logged(
    as_bob: APIClient, club: Club, entries: list[Entry], caplog: pytest.LogCaptureFixture
) -> None:
    ballot = poll(club, entries)
    as_bob.put(url(club, ballot, "vote/"), {"ranking": [entries[2].pk]})
    logged = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert "ranking" not in logged


def test_result_contains_no_usernames(
    as_bob: APIClient, as_moe: APIClient, bob: User, club: Club, entries: list[Entry]
) -> None:
    ballot = poll(club, entries)
    as_bob.put(url(club, ballot, "vote/"), {"ranking": [entries[2].pk]})
    result = json.dumps(as_moe.post(url(club, ballot, "close/")).json()["result"])
    stored = json.dumps([*Ballot.objects.values_list("rounds", "anonymous_votes")])
    for text in (result, stored):
        assert "user" not in text
        assert bob.username not in text


@pytest.mark.parametrize("method", METHODS)
def test_result_lists_votes_in_random_order(
    as_moe: APIClient, club: Club, alice: User, bob: User, moe: User, entries: list[Entry], method: str
) -> None:
    """The same votes are stored in a different order each time, and then stay in that order."""
    orders = []
    for _ in range(12):
        Entry.objects.update(status="proposed")
        ballot = poll(club, entries, method=method)
        for user, entry in zip((alice, bob, moe), entries, strict=True):
            ballot.vote(by=user, choices=[entry.pk])
        ballot.close(by=alice)
        orders.append([entry for [entry] in as_moe.get(url(club, ballot)).json()["result"]["ballots"]])
    assert orders[-1] == [entry for [entry] in as_moe.get(url(club, ballot)).json()["result"]["ballots"]]
    # All twelve are equal by chance once in 360 million times.
    assert len({*map(tuple, orders)}) > 1
    assert all(sorted(order) == sorted(orders[0]) for order in orders)


def test_result_sorts_approval_votes(as_bob: APIClient, as_moe: APIClient, club: Club, entries: list[Entry]) -> None:
    a, b, c = (entry.pk for entry in entries)
    ballot = poll(club, entries, method="approval")
    as_bob.put(url(club, ballot, "vote/"), {"approved": [c, a, b]})
    assert as_moe.post(url(club, ballot, "close/")).json()["result"]["ballots"] == [[a, b, c]]


def test_closed_ballot_shows_own_vote_only(
    as_bob: APIClient, as_moe: APIClient, as_alice: APIClient, club: Club, entries: list[Entry]
) -> None:
    ballot = poll(club, entries)
    votes = {as_bob: [entries[2].pk], as_moe: [entries[0].pk, entries[2].pk]}
    for client, vote in votes.items():
        client.put(url(club, ballot, "vote/"), {"ranking": vote})
    as_moe.post(url(club, ballot, "close/"))
    for client, vote in votes.items():
        assert client.get(url(club, ballot)).json()["my_vote"] == {"ranking": vote}
    assert as_alice.get(url(club, ballot)).json()["my_vote"] is None


def test_votes_are_not_in_admin() -> None:
    shown = set(admin.site._registry)
    assert Ballot in shown
    assert Vote not in shown
    shows_votes = [m for m in shown if any(f.related_model is Vote for f in m._meta.get_fields()) and m is not Ballot]
    for model in shows_votes:
        assert not admin.site._registry[model].inlines, model
    assert apps.get_model("ballots", "vote") is Vote


@pytest.mark.parametrize("close", [False, True])
def test_admin_page_of_ballot_shows_no_votes(
    staff: User, as_bob: APIClient, as_moe: APIClient, club: Club, entries: list[Entry], close: bool
) -> None:
    client = Client()
    client.force_login(staff, "accounts.authentication.AdminBackend")
    ballot = poll(club, entries)
    pages_: list[Any] = []
    for vote in ([2, 0], [1]):
        as_bob.put(url(club, ballot, "vote/"), {"ranking": [entries[n].pk for n in vote]})
        pages_.append(client.get(f"/admin/ballots/ballot/{ballot.pk}/change/").content.decode())
    assert not [line for line in stable_lines(pages_[0]) if "bob" in line]
    assert stable_lines(pages_[0]) == stable_lines(pages_[1])
    if close:
        as_moe.post(url(club, ballot, "close/"))
        page = client.get(f"/admin/ballots/ballot/{ballot.pk}/change/").content.decode()
        assert "Persuasion: 1" in page
        assert not [line for line in stable_lines(page) if "bob" in line]


def stable_lines(page: str) -> list[str]:
    """The page without lines that differ for each request."""
    return [line for line in page.splitlines() if "csrf" not in line and "nonce" not in line]
