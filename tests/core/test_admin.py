"""The admin site and the base classes of its pages."""

import re

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, connection
from django.http import Http404
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from accounts.models import User
from core.admin.dashboard import format_capped_count
from core.tasks.admin import QueuedTaskAdmin

pytestmark = pytest.mark.django_db

SEARCHED = [model._meta for model, page in admin.site._registry.items() if page.search_fields]


@pytest.mark.parametrize("meta", SEARCHED, ids=lambda meta: meta.label_lower)
def test_search_for_a_too_large_id_finds_nothing(staff, meta):
    client = Client()
    client.force_login(staff)
    for term in ("9" * 25, "9" * 5000, "٣", f"book: {'9' * 25}"):
        answer = client.get(reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"), {"q": term})
        assert answer.status_code == 200, term


@pytest.mark.parametrize("meta", SEARCHED, ids=lambda meta: meta.label_lower)
@pytest.mark.parametrize("language", ["en", "pt-br"])
def test_search_help_text_fits_the_box(meta, language):
    # The width of the theme's search box.
    with translation.override(language):
        assert len(str(admin.site._registry[meta.model].search_help_text or "")) <= 45


def test_pages_show_the_time_zone(staff):
    client = Client(headers={"accept-language": "pt-BR"})
    client.force_login(staff)
    assert "Horários em UTC" in client.get("/admin/core/queuedtask/").content.decode()


@pytest.mark.django_db(transaction=True)  # InnoDB's full-text index sees rows after their commit.
def test_capped_list_says_so(staff, make_user, monkeypatch):
    for n in range(3):
        make_user(f"reader{n}")
    client = Client()
    client.force_login(staff)
    address = reverse("admin:accounts_user_changelist")
    page = client.get(address).content.decode()
    assert "4 rows" in page
    assert "Show all" not in page
    page = client.get(address, {"q": "reader2"}).content.decode()
    assert "1 row\n" in page
    assert "Show all" in page
    monkeypatch.setattr("core.admin.changelist.MAX_LIST_ROWS", 3)
    for query in ({}, {"q": "reader"}):
        page = client.get(address, query).content.decode()
        assert "the first 3 rows; search or filter" in page
        assert "3 results" not in page


def test_dashboard_count_is_capped(staff, make_user, monkeypatch):
    for n in range(2):
        make_user(f"reader{n}")
    assert format_capped_count(User.objects.all()) == "3"
    monkeypatch.setattr("core.admin.dashboard.MAX_COUNTED", 3)
    assert format_capped_count(User.objects.all()) == "3+"
    with translation.override("pt-br"):
        monkeypatch.setattr("core.admin.dashboard.count_up_to", lambda rows, most: 12_000)
        assert format_capped_count(User.objects.all()) == "12.000"


def test_recent_actions_are_not_sorted_by_time(staff, alice):
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


@pytest.mark.parametrize(
    ("status", "error", "title"),
    [
        (403, PermissionDenied(), "Não permitido"),
        (404, Http404(), "Não encontrado"),
        (500, RuntimeError(), "Erro no servidor"),
        (503, OperationalError(), "Serviço indisponível"),
    ],
)
def test_error_page_is_translated_with_a_link_back(staff, monkeypatch, status, error, title):
    def fails(*_args, **_kwargs):
        raise error

    client = Client(raise_request_exception=False, headers={"accept-language": "pt-BR"})
    client.force_login(staff)
    monkeypatch.setattr(QueuedTaskAdmin, "get_queryset", fails)
    answer = client.get("/admin/core/queuedtask/")
    page = answer.content.decode()
    assert answer.status_code == status
    assert f"<title>{title} | BookBridge</title>" in page
    assert '<html lang="pt-br">' in page
    assert '<a href="/admin/">Administração</a>' in page
    assert "/admin/" not in client.get("/nowhere/").content.decode()


def test_csrf_failure_page_explains_what_to_do(staff):
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff)
    answer = client.post("/admin/core/queuedtask/", {})
    assert answer.status_code == 403
    assert "load the page again" in answer.content.decode()
