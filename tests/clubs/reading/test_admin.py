"""Reading lists in the admin."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from clubs.models import Club, Entry, EntryChange, Milestone, Progress
from tests.clubs.reading.helpers import assert_counted

PutOnList = Callable[..., Entry]


@pytest.fixture
def as_staff(staff: User) -> Client:
    client = Client()
    client.force_login(staff, "accounts.authentication.AdminBackend")
    return client


@pytest.fixture
def rows(put_on_list: PutOnList, bob: User) -> dict[type, Any]:
    entry = put_on_list("Emma", status="reading")
    put_on_list("Persuasion")
    numbers = {"percent": 10, "unit": "percent", "amount": 10, "total": 100}
    return {
        Entry: entry,
        EntryChange: EntryChange.objects.get(book=entry.book),
        Milestone: Milestone.add(entry=entry, title="First part", up_to_percent=10, due_on="2027-01-01"),
        Progress: entry.marks.create(user=bob, **numbers),
    }


def place(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:clubs_{model._meta.model_name}_{page}", args=args)


@pytest.mark.parametrize("model", [Entry, EntryChange, Milestone, Progress])
def test_each_table_is_listed_found_and_read(as_staff: Client, rows: dict[type, Any], club: Club, model: type) -> None:
    for query in ({}, {"q": str(club.pk)}, {"q": "night"}):
        page = as_staff.get(place(model, "changelist"), query)
        assert page.status_code == 200
        assert rows[model] in page.context["cl"].result_list
    assert not as_staff.get(place(model, "changelist"), {"q": "nothing of that name"}).context["cl"].result_list
    assert as_staff.get(place(model, "change", rows[model].pk)).status_code == 200
    assert as_staff.get(place(model, "add")).status_code == 403
    assert as_staff.post(place(model, "delete", rows[model].pk), {"post": "yes"}).status_code == 403


def test_a_list_in_the_admin_costs_the_same_at_any_size(
    as_staff: Client, rows: dict[type, Any], put_on_list: PutOnList, django_assert_max_num_queries: Any
) -> None:
    for n in range(20):
        put_on_list(f"T{n}")
    for model in rows:
        # 1 the session, 2 its user, 3 the rows counted up to the cap, 4 the rows, 5 to 7 what stands beside them
        with django_assert_max_num_queries(7):
            as_staff.get(place(model, "changelist"))


def test_staff_take_a_book_off_a_list(as_staff: Client, rows: dict[type, Any], staff: User) -> None:
    entry = rows[Entry]
    as_staff.post(place(Entry, "changelist"), {"action": "remove", "_selected_action": [entry.pk]})
    assert [(row.book.title, row.position) for row in Entry.objects.all()] == [("Persuasion", 1)]
    assert EntryChange.objects.filter(book=entry.book, new="", actor=staff).exists()
    assert_counted()


def test_a_hidden_mark_is_the_readers_alone(as_staff: Client, rows: dict[type, Any]) -> None:
    Progress.objects.update(hidden=True)
    assert not as_staff.get(place(Progress, "changelist")).context["cl"].result_list
    assert as_staff.get(place(Progress, "change", rows[Progress].pk)).status_code == 302


def test_changes_of_lists_are_told_in_words(as_staff: Client, put_on_list: PutOnList, alice: User) -> None:
    entry = put_on_list("Emma", status="planned")
    entry.change(by=alice, status="reading", starts_on=datetime.date(2027, 1, 5))
    page = as_staff.get(place(EntryChange, "changelist"), headers={"accept-language": "pt-BR"}).content.decode()
    for shown in ("em leitura", "planejado", "5 de Janeiro de 2027", "começa no dia"):
        assert shown in page, shown
    for code in (">starts_on<", ">reading<", "2027-01-05"):
        assert code not in page, code
