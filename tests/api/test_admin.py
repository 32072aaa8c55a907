"""What every page of the admin has in common."""

import re

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from accounts.models import User
from bookbridge.api.admin import counted

pytestmark = pytest.mark.django_db

SEARCHED = [model._meta for model, page in admin.site._registry.items() if page.search_fields]


@pytest.mark.parametrize("meta", SEARCHED, ids=lambda meta: meta.label_lower)
def test_a_number_that_is_no_id_finds_nothing(staff, meta):
    client = Client()
    client.force_login(staff)
    for term in ("9" * 25, "9" * 5000, "٣", f"book: {'9' * 25}"):
        answer = client.get(reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"), {"q": term})
        assert answer.status_code == 200, term


def test_a_list_that_ends_before_its_table_says_so(staff, make_user, monkeypatch):
    for n in range(3):
        make_user(f"reader{n}")
    client = Client()
    client.force_login(staff)
    address = reverse("admin:accounts_user_changelist")
    assert "4 rows" in client.get(address).content.decode()
    assert "1 row\n" in client.get(address, {"q": "reader2"}).content.decode()
    monkeypatch.setattr("bookbridge.api.admin.MOST_LISTED", 3)
    assert "the first 3 rows; search or filter" in client.get(address).content.decode()


def test_a_figure_of_the_front_page_says_where_its_counting_ended(staff, make_user, monkeypatch):
    for n in range(2):
        make_user(f"reader{n}")
    assert counted(User.objects.all()) == "3"
    monkeypatch.setattr("bookbridge.api.admin.MOST_COUNTED", 3)
    assert counted(User.objects.all()) == "3+"
    with translation.override("pt-br"):
        monkeypatch.setattr("bookbridge.api.admin.capped", lambda rows, most: 12_000)
        assert counted(User.objects.all()) == "12.000"


def test_the_front_page_lists_ones_own_last_deeds_without_sorting_all(staff, alice):
    for number, user in enumerate([staff] * 12 + [alice]):
        LogEntry.objects.create(user=user, object_repr=f"deed {number}", action_flag=2, change_message="")
    client = Client()
    client.force_login(staff)
    with CaptureQueriesContext(connection) as queries:
        page = client.get(reverse("admin:index")).content.decode()
    assert re.findall(r"deed \d+", page) == [f"deed {number}" for number in range(11, 1, -1)]
    (asked,) = [
        query["sql"] for query in queries if "FROM " + connection.ops.quote_name("django_admin_log") in query["sql"]
    ]
    assert "action_time" not in asked.rpartition("ORDER BY")[2]
