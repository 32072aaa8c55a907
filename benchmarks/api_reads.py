"""Benchmark of all API read requests: prints time and number of queries of each response, worst first.

    DATABASE_URL=mysql://... python benchmarks/api_reads.py [--limit 25] [--only /clubs/]

The URLs are taken from the OpenAPI document: each list in each order and with each filter, its second page, and each
detail route; anonymously and as the owner of the largest club. Fill the database first (`benchmarks/fill_database.py`).
"cold" is the first call. Exits with status 1 if a response takes over half a second warm or over fifteen queries.
"""

import argparse
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookbridge.settings")
os.environ.setdefault("DEBUG", "on")
os.environ["RATE_USER"] = os.environ["RATE_ANON"] = "off"

import django

django.setup()

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models import Max
from django.test.utils import CaptureQueriesContext
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from clubs.models import Club, Entry, Milestone
from discussions.models import Post, Thread
from reviews.models import Review

MAX_SECONDS, MAX_QUERIES = 0.5, 15
# An export reads all tables, and an import must be created first.
EXCLUDED = ("/export/", "/imports/{import_id}/")
SEARCHES = ("quiet", "winter house", "winter 77", "a", "x", "7", "nobody", "clube de leitores", "ana", "ana silva")
# Values for filters without choices.
FILTER_VALUES: dict[str, tuple[Any, ...]] = {
    "search": SEARCHES,
    "author": ("ana", "silva", "nobody"),
    "subject": ("fiction", "nobody"),
    "isbn": ("9780000000002",),
    "language": ("pt", "en", "xx"),
    "min_rating": (4.5, 5),
    "year_from": (1990, 2030),
    "year_to": (1500, 1990),
    "min_ratings": (1, 100),
    "page_size": (100,),
}


class Cost(NamedTuple):
    """The cost of a response."""

    warm: float
    cold: float
    queries: int
    status: int
    bytes: int
    caller: str
    path: str

    @property
    def is_over(self) -> bool:
        """Return whether the response exceeds a limit."""
        return self.warm > MAX_SECONDS or self.queries > MAX_QUERIES or self.status >= 500


def measure(client: APIClient, caller: str, path: str) -> tuple[Cost, str | None]:
    """Request a path three times with an empty cache; return the cost and the URL of the next page.

    The warm time is the better one of the last two requests.
    """
    times = []
    for _round in range(3):
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            began = time.perf_counter()
            response: Any = client.get(path)
            body = response.getvalue()
            times.append(time.perf_counter() - began)
    cost = Cost(min(times[1:]), times[0], len(queries), response.status_code, len(body), caller, path)
    next_url = re.search(rb'"next":"([^"]+)"', body)
    return cost, next_url and next_url[1].decode()


def path_parameters(club: Club) -> dict[str, Any]:
    """Return the ids for path parameters: the largest club, its longest thread, the most rated book."""
    thread = Thread.objects.filter(club=club).order_by("-posts_count").first()
    entry = Entry.objects.filter(club=club).order_by("position").first()
    rows = {
        "post_id": Post.objects.filter(thread=thread).order_by("pk").first(),
        "thread_id": thread,
        "entry_id": entry,
        "milestone_id": Milestone.objects.filter(entry=entry).first(),
        "ballot_id": club.ballots.order_by("pk").first(),
        "meeting_id": club.meetings.order_by("pk").first(),
        "review_id": Review.objects.order_by("-likes_count").first(),
        "club_id": club,
    }
    return {name: getattr(row, "pk", 0) for name, row in rows.items()}


def fill_path(path: str, parameters: dict[str, Any], book: int, owner: Any) -> str:
    """Fill in the parameters of a path."""
    for name, pk in (parameters | {"book_id": book}).items():
        path = path.replace(f"{{{name}}}", str(pk))
    return path.replace("{user_id}", str(owner.pk)).replace("{username}", owner.username)


def query_strings(operation: dict[str, Any], book: int, owner: int) -> Iterator[str]:
    """Yield query strings: each order, and each filter value in each order."""
    choices: dict[str, tuple[Any, ...]] = {}
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "query" and parameter["name"] not in ("cursor", "token"):
            name = parameter["name"]
            ids = {"book": (book, 0), "user": (owner, 0), "entry": (0,)}
            choices[name] = tuple(parameter["schema"].get("enum") or FILTER_VALUES.get(name) or ids[name])
    orders = ["", *(f"ordering={order}" for order in choices.pop("ordering", ()))]
    for order in orders:
        yield f"?{order}"
        for name, values in choices.items():
            yield from (f"?{name}={value}&{order}".rstrip("&") for value in values)


def main() -> None:
    """Request everything and print the results."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--limit", type=int, default=25, help="number of results to print")
    options.add_argument("--only", default="", help="only routes whose path contains this")
    chosen = options.parse_args()
    settings.ALLOWED_HOSTS = ["*"]
    club = Club.objects.order_by("-members_count").first()
    assert club is not None
    owner = club.owner
    book = Review.objects.aggregate(max=Max("book__ratings_count"))["max"]
    book = Review.objects.filter(book__ratings_count=book).values_list("book", flat=True).first() or 0
    parameters = path_parameters(club)
    authenticated, anonymous = APIClient(), APIClient()
    authenticated.force_authenticate(owner)
    costs: list[Cost] = []
    for path, methods in SchemaGenerator().get_schema(request=None, public=True)["paths"].items():
        if "get" not in methods or chosen.only not in path or path.endswith(EXCLUDED):
            continue
        address = fill_path(path, parameters, book, owner)
        for query in query_strings(methods["get"], book, owner.pk):
            for caller, client in (("owner", authenticated), ("anonymous", anonymous)):
                cost, next_url = measure(client, caller, f"{address}{query}")
                if cost.status != 401:
                    costs.append(cost)
                if next_url and query == "?":
                    costs.append(measure(client, caller, next_url)[0])
    costs.sort(key=lambda cost: (cost.is_over, cost.warm), reverse=True)
    for cost in costs[: chosen.limit]:
        marker = "  OVER LIMIT" if cost.is_over else ""
        print(
            f"{cost.warm * 1000:6.0f} ms warm {cost.cold * 1000:6.0f} ms cold {cost.queries:3} queries"
            f" {cost.bytes / 1024:6.0f} KB {cost.status} {cost.caller:9} {cost.path}{marker}"
        )
    over = [cost for cost in costs if cost.is_over]
    rejected = sum(400 <= cost.status < 500 for cost in costs)
    print(f"{len(costs)} responses, {rejected} of them 4xx, {len(over)} over the limit")
    sys.exit(bool(over))


if __name__ == "__main__":
    main()
