"""Admin of reading lists."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import User
from clubs.models import Club, Entry, EntryChange, Milestone, Progress
from tests.clubs.reading.helpers import assert_counted

PutOnList = Callable[..., Entry]


@pytest.fixture
def rows(put_on_list: PutOnList, bob: User) -> dict[type, Any]:
    entry = put_on_list("Emma", status="reading")
    put_on_list("Persuasion")
    numbers = {"percent": 10, "unit": "percent", "amount": 10, "total": 100}
    return {
        Entry: entry,
        EntryChange: EntryChange.objects.get(book=entry.book),
        Milestone: Milestone.create_milestone(
            entry=entry, title="First part", up_to_percent=10, due_on=datetime.date(2027, 1, 1)
        ),
        Progress: entry.progress.create(user=bob, **numbers),
    }


def admin_url(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:clubs_{model._meta.model_name}_{page}", args=args)


@pytest.mark.parametrize("model", [Entry, EntryChange, Milestone, Progress])
def test_models_are_searchable_and_read_only(as_staff: Client, rows: dict[type, Any], club: Club, model: type) -> None:
    for query in ({}, {"q": str(club.pk)}, {"q": "night"}):
        page = as_staff.get(admin_url(model, "changelist"), query)
        assert page.status_code == 200
        assert rows[model] in page.context["cl"].result_list
    assert not as_staff.get(admin_url(model, "changelist"), {"q": "nothing of that name"}).context["cl"].result_list
    assert as_staff.get(admin_url(model, "change", rows[model].pk)).status_code == 200
    assert as_staff.get(admin_url(model, "add")).status_code == 403
    assert as_staff.post(admin_url(model, "delete", rows[model].pk), {"post": "yes"}).status_code == 403


def test_changelist_query_count_is_constant(
    as_staff: Client, rows: dict[type, Any], put_on_list: PutOnList, django_assert_max_num_queries: Any
) -> None:
    for n in range(20):
        put_on_list(f"T{n}")
    for model in rows:
        # Session, user, capped count, rows, related rows (3).
        with django_assert_max_num_queries(7):
            as_staff.get(admin_url(model, "changelist"))


def test_staff_can_remove_an_entry(as_staff: Client, as_bob: APIClient, rows: dict[type, Any]) -> None:
    entry = rows[Entry]
    as_staff.post(admin_url(Entry, "changelist"), {"action": "remove", "_selected_action": [entry.pk]})
    assert [(row.book.title, row.position) for row in Entry.objects.all()] == [("Persuasion", 1)]
    assert EntryChange.objects.filter(book=entry.book, new="", actor=None).exists()
    # The members do not see which member of the staff it was.
    [event] = [
        row
        for row in as_bob.get(f"/api/v1/clubs/{entry.club_id}/activity/").json()["results"]
        if row["verb"] == "book.unlisted"
    ]
    assert event["actor"] is None
    assert_counted()


def test_hidden_progress_is_not_shown(as_staff: Client, rows: dict[type, Any]) -> None:
    Progress.objects.update(hidden=True)
    assert not as_staff.get(admin_url(Progress, "changelist")).context["cl"].result_list
    assert as_staff.get(admin_url(Progress, "change", rows[Progress].pk)).status_code == 302


def test_history_shows_translated_values(as_staff: Client, put_on_list: PutOnList, alice: User) -> None:
    entry = put_on_list("Emma", status="planned")
    entry.update_entry(by=alice, status="reading", starts_on=datetime.date(2027, 1, 5))
    page = as_staff.get(admin_url(EntryChange, "changelist"), headers={"accept-language": "pt-BR"}).content.decode()
    for text in ("em leitura", "planejado", "2027-01-05", "começa no dia"):
        assert text in page, text
    for code in (">starts_on<", ">reading<"):
        assert code not in page, code
