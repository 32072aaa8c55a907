"""Admin of ballots and their results."""

from typing import Any

from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from clubs.models import Club, Entry
from tests.ballots.helpers import poll, url

LIST = "/admin/ballots/ballot/"


def test_admin_shows_results_and_is_read_only(
    as_staff: Client, as_bob: APIClient, as_moe: APIClient, club: Club, entries: list[Entry]
) -> None:
    ballot = poll(club, entries)
    as_bob.put(url(club, ballot, "vote/"), {"ranking": [entries[1].pk]})
    as_moe.put(url(club, ballot, "vote/"), {"ranking": [entries[0].pk, entries[1].pk]})
    as_moe.post(url(club, ballot, "close/"))
    for query in ({}, {"q": str(club.pk)}, {"q": "night"}, {"status": "closed"}, {"method": "ranked"}):
        assert list(as_staff.get(LIST, query).context["cl"].result_list) == [ballot]
    assert not as_staff.get(LIST, {"q": "nothing of that name"}).context["cl"].result_list
    page = as_staff.get(f"{LIST}{ballot.pk}/change/")
    assert "Emma: 1, Persuasion: 1, Sanditon: 0 (eliminated: Sanditon)" in page.content.decode()
    assert as_staff.get(f"{LIST}add/").status_code == 403
    assert as_staff.post(f"{LIST}{ballot.pk}/change/", {"title": "Mine"}).status_code == 403
    assert as_staff.post(f"{LIST}{ballot.pk}/delete/", {"post": "yes"}).status_code == 403


def test_admin_shows_results_without_their_entries(
    as_staff: Client, as_bob: APIClient, club: Club, alice: User, entries: list[Entry]
) -> None:
    ballot = poll(club, entries)
    as_bob.put(url(club, ballot, "vote/"), {"ranking": [entries[1].pk]})
    ballot.close(by=alice)
    gone = entries[1].pk
    entries[1].delete_entry(by=alice)
    assert f"Emma: 0, #{gone}: 1, Sanditon: 0" in as_staff.get(f"{LIST}{ballot.pk}/change/").content.decode()


def test_admin_list_query_count_is_constant(
    as_staff: Client, club: Club, entries: list[Entry], django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        poll(club, entries)
    # 1 session, 2 user, 3 capped count, 4 rows, 5 and 6 prefetched relations
    with django_assert_max_num_queries(7):
        as_staff.get(LIST)
