"""Benchmark of all admin pages, cold and warm: prints time and number of queries, worst first.

    DATABASE_URL=mysql://... python benchmarks/admin_pages.py [--limit 25] [--only catalog.book]

Requests each list in each order, with each filter, with several searches, and its last page; the change, history and
delete pages of the first and the last row; the case page, duplicates, comparison, and the first bytes of exports.
Fill the database first (`benchmarks/fill_database.py`). "cold" is the first request; restart the database before.
Exits with status 1 if a page takes over a second warm or over thirty queries. Leaves a staff account and log entries
behind.
"""

import argparse
import logging
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookbridge.settings")
os.environ.setdefault("DEBUG", "on")
os.environ["ADMIN_SECOND_FACTOR"] = "off"

import django

django.setup()
logging.disable(logging.INFO)  # a line for each request

from django.conf import settings
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from accounts.two_factor import sessions
from catalog.models import Book

MAX_SECONDS, MAX_QUERIES = 1.0, 30
# Choices tested per filter.
MAX_CHOICES = 6
BY_CLUB = ["?q=7", "?q=leitores+de", "?q=nobody"]
BY_USERNAME = ["?q=ana", "?q=a", "?q=nobody"]
# Searches and text filters, which have no choices.
QUERIES = {
    "accounts.user": ["?q=ana", "?q=a", "?q=ana+silva", "?q=ana@", "?is_staff__exact=1&o=7"],
    "accounts.authsession": BY_USERNAME,
    "activity.event": [
        *("?actor=7", "?club=7", "?q=review:77", "?q=7", "?verb=book.added&actor=7", "?verb=book.added&club=7"),
        *(
            "?created_at_from_0=2026-01-01&created_at_to_0=2026-01-02",
            "?verb=book.added&created_at_to_0=2026-01-02",
            "?verb=club.deleted",
        ),
    ],
    "core.auditentry": [
        *("?actor=7", "?actor=7&verb=verb.3", "?q=accounts.user:77", "?verb=verb.3&outcome__exact=refused"),
        *("?created_at_from_0=2026-01-01&created_at_to_0=2026-01-02", "?q=198.51.100.7", "?q=203.0.113.1", "?q=7"),
        "?outcome__exact=refused&created_at_to_0=2026-01-02",
    ],
    "catalog.book": [
        *("?q=quiet", "?q=q", "?q=winter+house+7", "?q=9780000000002", "?q=nowhere", "?language=pt&o=4"),
        *("?isbn13__isempty=1&o=-7", "?added_by__isempty=0&o=4"),
    ],
    "catalog.revision": BY_USERNAME,
    "clubs.club": ["?q=clube", "?q=c", "?q=7", "?visibility__exact=private&o=7"],
    "clubs.membership": [*BY_CLUB, *BY_USERNAME],
    "clubs.invitation": [*BY_CLUB, *BY_USERNAME],
    **{f"clubs.{name}": BY_CLUB for name in ("entry", "entrychange", "milestone", "progress")},
    "ballots.ballot": BY_CLUB,
    "discussions.thread": BY_CLUB,
    "meetings.meeting": [*BY_CLUB, "?q=7&removed=all"],
    "moderation.case": ["?q=review:77", *BY_USERNAME, "?queue=closed&target_type=post", "?queue=all&o=3"],
    "moderation.decision": BY_USERNAME,
    "reviews.review": ["?q=77", "?q=book:300", *BY_USERNAME, "?hidden_at__isempty=0&o=7", "?hidden_at__isempty=1&o=-7"],
}
OTHER_PAGES = [
    "/admin/",
    *("/admin/catalog/book/duplicates/", "/admin/catalog/book/duplicates/?key_field=edition_key"),
    "/admin/catalog/book/duplicates/?key_field=work_key&after=rosalima",
    "/admin/catalog/book/duplicates/?key_field=edition_key&after=978-2",
    *("/admin/core/auditentry/export/", "/admin/core/auditentry/export/?verb=verb.3&outcome__exact=refused"),
    *("/admin/activity/event/export/", "/admin/activity/event/export/?verb=book.added"),
]


class Cost(NamedTuple):
    """The cost of a page."""

    warm: float
    cold: float
    queries: int
    status: int
    path: str

    @property
    def is_over(self) -> bool:
        """Return whether the page exceeds a limit."""
        return self.warm > MAX_SECONDS or self.queries > MAX_QUERIES or self.status != 200


def staff_client() -> Client:
    """Return a client with a superuser session."""
    user = User.objects.filter(username="benchmark").first() or User.objects.create_superuser("benchmark", None)
    settings.ALLOWED_HOSTS = ["*"]
    client = Client(raise_request_exception=False)
    client.force_login(user, "accounts.authentication.AdminBackend")
    session = client.session
    session[sessions.SESSION_KEY] = {"started": time.time(), "last_request": time.time(), "device": None}
    session.save()
    return client


def get(client: Client, path: str) -> Any:
    """Request a path; of streaming responses read only the first chunk."""
    response = client.get(path)
    if response.streaming:
        next(iter(response))
    return response


def measure(client: Client, path: str) -> tuple[Cost, Any]:
    """Request a path three times; the warm time is the better one of the last two."""
    times = []
    for _round in range(3):
        with CaptureQueriesContext(connection) as queries:
            began = time.perf_counter()
            response = get(client, path)
            times.append(time.perf_counter() - began)
    return Cost(min(times[1:]), times[0], len(queries), response.status_code, path), response


def lists(client: Client, model: type[Model]) -> Iterator[Cost]:
    """Yield the costs of the change list with all orders, filters and searches."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    cost, response = measure(client, url)
    yield cost
    changelist = admin.site._registry[model].get_changelist_instance(response.wsgi_request)
    orders = [
        f"?o={sign}{number}"
        for number, name in enumerate(changelist.list_display)
        if name in changelist.sortable_by and changelist.get_ordering_field(name)
        for sign in ("", "-")
    ]
    chosen = [
        choice.get("query_string") or choice.get("query_string_all")
        for spec in changelist.filter_specs
        for choice in list(spec.choices(changelist))[:MAX_CHOICES]
    ]
    queries = [*orders, *filter(None, chosen), *QUERIES.get(model._meta.label_lower, [])]
    if changelist.paginator.num_pages > 1:
        queries.append(f"?p={changelist.paginator.num_pages}")
    for query in dict.fromkeys(queries):
        if query != "?":
            yield measure(client, url + query)[0]


def rows(client: Client, model: type[Model]) -> Iterator[Cost]:
    """Yield the costs of the pages of the heaviest and the last row."""
    page = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    found = model._default_manager.order_by("pk")
    for pk, row in {row.pk: row for row in (_heaviest(model), found.last()) if row is not None}.items():
        names = ["change", "history"]
        if admin.site._registry[model].has_delete_permission(_request(client), row):
            names.append("delete")
        for name in names:
            yield measure(client, reverse(f"{page}_{name}", args=[pk]))[0]


def _heaviest(model: type[Model]) -> Any:
    order = {"catalog.book": "-ratings_count", "clubs.club": "-members_count"}.get(model._meta.label_lower, "pk")
    return model._default_manager.order_by(order).first()


def _request(client: Client) -> Any:
    return client.get("/admin/").wsgi_request


def main() -> None:
    """Request everything and print the results."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--limit", type=int, default=25, help="number of results to print")
    options.add_argument("--only", help="only one model, such as catalog.book")
    chosen = options.parse_args()
    client, costs = staff_client(), []
    for model in admin.site._registry:
        if chosen.only in (None, model._meta.label_lower):
            costs += [*lists(client, model), *rows(client, model)]
    if chosen.only is None:
        pair = "&".join(
            f"book={pk}" for pk in Book.objects.not_merged().order_by("-ratings_count").values_list("pk", flat=True)[:2]
        )
        costs += [measure(client, path)[0] for path in (*OTHER_PAGES, f"/admin/catalog/book/merge/?{pair}")]
    costs.sort(key=lambda cost: (cost.is_over, cost.warm), reverse=True)
    for cost in costs[: chosen.limit]:
        print(
            f"{cost.warm * 1000:6.0f} ms warm {cost.cold * 1000:6.0f} ms cold {cost.queries:3} queries"
            f" {cost.status} {cost.path}{'  OVER LIMIT' if cost.is_over else ''}"
        )
    over = [cost for cost in costs if cost.is_over]
    slow = sum(cost.warm > 0.5 for cost in costs)
    print(f"{len(costs)} pages, {slow} over half a second, {len(over)} over a second or thirty queries")
    sys.exit(bool(over))


if __name__ == "__main__":
    main()
