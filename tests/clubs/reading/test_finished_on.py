"""The day on which a club finished a book."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from catalog.models import Book, Merge
from clubs.models import Club, Entry
from clubs.reading.models import ArchivedEntry
from core.models import Counter
from tests.clubs.reading.helpers import assert_counted, codes, status_and_code, url
from tests.reviews.helpers import counter_differences

PutOnList = Callable[..., Entry]
AddBook = Callable[..., Book]


@pytest.fixture(autouse=True)
def fixed_time() -> Iterator[None]:
    with time_machine.travel("2026-11-29T01:30:00Z", tick=False):
        yield


@pytest.fixture
def sao_paulo(make_club: Callable[..., Club]) -> Club:
    """A club in which it is still 28 November."""
    return make_club("Leitoras", timezone="America/Sao_Paulo")


def months(client: APIClient, club: Club) -> list[dict[str, Any]]:
    months: list[dict[str, Any]] = client.get(f"/api/v1/clubs/{club.pk}/stats/").json()["finished_by_month"]
    return months


def test_finish_without_a_day_takes_today_in_the_time_zone_of_the_club(
    as_moe: APIClient, sao_paulo: Club, put_on_list: PutOnList, add_book: AddBook
) -> None:
    entry = put_on_list("Emma", to=sao_paulo, status="reading")
    assert as_moe.get(url(sao_paulo, entry)).json()["finished_on"] is None
    assert as_moe.patch(url(sao_paulo, entry), {"status": "finished"}).json()["finished_on"] == "2026-11-28"
    body = {"book": add_book("Persuasion").pk, "status": "finished", "finished_on": None}
    assert as_moe.post(url(sao_paulo), body).json()["finished_on"] == "2026-11-28"


def test_finish_with_a_day_counts_in_its_month(
    as_moe: APIClient, sao_paulo: Club, put_on_list: PutOnList, add_book: AddBook
) -> None:
    entry = put_on_list("Emma", to=sao_paulo, status="reading")
    response = as_moe.patch(url(sao_paulo, entry), {"status": "finished", "finished_on": "2019-12-31"})
    assert (response.status_code, response.json()["finished_on"]) == (200, "2019-12-31")
    body = {"book": add_book("Ulysses").pk, "status": "finished"}
    dates = {"starts_on": "2018-01-01", "ends_on": "2018-06-16", "finished_on": "2018-06-16"}
    response = as_moe.post(url(sao_paulo), body | dates)
    assert (response.status_code, dates.items() <= response.json().items()) == (201, True)
    assert months(as_moe, sao_paulo) == [{"month": "2018-06", "count": 1}, {"month": "2019-12", "count": 1}]
    assert_counted()
    assert counter_differences() == (0, [])


def test_corrected_day_moves_the_book_to_another_month(
    as_moe: APIClient, sao_paulo: Club, put_on_list: PutOnList
) -> None:
    entry = put_on_list("Emma", to=sao_paulo, status="finished")
    assert as_moe.patch(url(sao_paulo, entry), {"finished_on": "2020-02-29"}).status_code == 200
    assert months(as_moe, sao_paulo) == [{"month": "2020-02", "count": 1}]
    assert counter_differences() == (0, [])
    stored = Counter.objects.filter(pk__startswith="finished ").exclude(value=0)
    assert {counter.pk.partition("#")[0] for counter in stored} == {"finished 2020-02"}
    # null leaves it unchanged, since a finished book always has a day.
    assert as_moe.patch(url(sao_paulo, entry), {"finished_on": None}).json()["finished_on"] == "2020-02-29"


@pytest.mark.parametrize("steps", [["reading"], ["dropped", "planned", "reading"]])
def test_book_finished_again_is_finished_today(
    as_moe: APIClient, sao_paulo: Club, put_on_list: PutOnList, steps: list[str]
) -> None:
    entry = put_on_list("Emma", to=sao_paulo, status="finished")
    as_moe.patch(url(sao_paulo, entry), {"finished_on": "2020-02-29"})
    for status in steps:
        assert as_moe.patch(url(sao_paulo, entry), {"status": status}).json()["finished_on"] is None
        assert months(as_moe, sao_paulo) == []
    assert as_moe.patch(url(sao_paulo, entry), {"status": "finished"}).json()["finished_on"] == "2026-11-28"
    assert months(as_moe, sao_paulo) == [{"month": "2026-11", "count": 1}]
    assert_counted()
    assert counter_differences() == (0, [])


@pytest.mark.parametrize(
    ("before", "body", "errors"),
    [
        ("finished", {"finished_on": "2026-11-29"}, {"finished_on": "in_future"}),
        ("finished", {"finished_on": "2100-01-01"}, {"finished_on": "in_future"}),
        ("finished", {"finished_on": "2999-01-01"}, {"finished_on": "in_future"}),
        ("finished", {"finished_on": "2025-12-31", "starts_on": "2026-01-01"}, {"finished_on": "ends_before_start"}),
        ("finished", {"starts_on": "2026-11-29"}, {"starts_on": "ends_before_start"}),
        ("finished", {"finished_on": "29/11/2026"}, {"finished_on": "invalid"}),
        ("reading", {"finished_on": "2026-11-01"}, {"finished_on": "not_finished"}),
        ("finished", {"finished_on": "2026-11-01", "status": "reading"}, {"finished_on": "not_finished"}),
    ],
)
def test_impossible_day_is_rejected(
    as_moe: APIClient,
    sao_paulo: Club,
    put_on_list: PutOnList,
    before: str,
    body: dict[str, Any],
    errors: dict[str, str],
) -> None:
    entry = put_on_list("Emma", to=sao_paulo, status=before)
    unchanged = as_moe.get(url(sao_paulo, entry)).json()
    response = as_moe.patch(url(sao_paulo, entry), body)
    assert (response.status_code, codes(response)) == (400, errors)
    assert as_moe.get(url(sao_paulo, entry)).json() == unchanged


def test_book_cannot_be_finished_before_its_start(
    as_moe: APIClient, sao_paulo: Club, put_on_list: PutOnList, add_book: AddBook
) -> None:
    entry = put_on_list("Emma", to=sao_paulo, status="reading")
    assert as_moe.patch(url(sao_paulo, entry), {"starts_on": "2026-12-24"}).status_code == 200
    response = as_moe.patch(url(sao_paulo, entry), {"status": "finished"})
    assert (response.status_code, codes(response)) == (400, {"finished_on": "ends_before_start"})
    response = as_moe.patch(url(sao_paulo, entry), {"status": "finished", "starts_on": "2026-11-28"})
    assert (response.status_code, response.json()["finished_on"]) == (200, "2026-11-28")
    body = {"book": add_book("Persuasion").pk, "status": "finished", "starts_on": "2026-12-24"}
    assert codes(as_moe.post(url(sao_paulo), body)) == {"finished_on": "ends_before_start"}


@pytest.mark.parametrize("name", ["starts_on", "ends_on", "finished_on"])
def test_dates_of_a_new_entry_require_moderator(as_bob: APIClient, club: Club, add_book: AddBook, name: str) -> None:
    response = as_bob.post(url(club), {"book": add_book().pk, name: "2020-01-01"})
    assert status_and_code(response) == (403, "moderators_only")


def test_migration_converts_the_times_that_merged_entries_took_over(
    sao_paulo: Club, staff: User, put_on_list: PutOnList, add_book: AddBook
) -> None:
    entry = put_on_list("Emma", to=sao_paulo)
    archived = ArchivedEntry.objects.create(
        merge=Merge.objects.create(target=entry.book, source=add_book("Emma, again"), created_by=staff, reason="Same"),
        club=sao_paulo,
        kept_entry_id=entry.pk,
        entry_id=entry.pk + 1,
        status="finished",
        position=2,
        created_at=timezone.now(),
        changes={"finished_at": [None, "2026-03-01T02:59:59.999999+00:00"], "note": ["", "Short"]},
    )
    migration = import_module("clubs.migrations.0008_fill_finished_on")
    migration._convert_changes(apps, "default", "finished_at", "finished_on", migration._text_to_day)
    archived.refresh_from_db()
    assert archived.changes == {"finished_on": [None, "2026-02-28"], "note": ["", "Short"]}
    migration._convert_changes(apps, "default", "finished_on", "finished_at", migration._text_to_time)
    migration._convert_changes(apps, "default", "finished_at", "finished_on", migration._text_to_day)
    archived.refresh_from_db()
    assert archived.changes["finished_on"] == [None, "2026-02-28"]
