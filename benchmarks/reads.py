"""Asks for what the API reads, at any size, and prints how long each answer takes and by how many queries, worst first.

    DATABASE_URL=mysql://... python benchmarks/reads.py [--most 25] [--only /clubs/]

The routes and what they may be asked for are those of the OpenAPI document: each list in each order and by each filter,
its second page, and each row's own page; as nobody, and as the owner of the largest club. Fill the database first
(`benchmarks/filling.py`). The first call stands under "cold". Ends with status 1 where an answer takes over half a
second warm, or over fifteen queries.
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

from clubs.models import Club, Entry, Milestone, Post, Thread
from reviews.models import Review

MOST_SECONDS, MOST_QUERIES = 0.5, 15
# An export reads every table there is, and an import has to be begun.
LEFT_OUT = ("/export/", "/imports/{import_id}/")
SEARCHES = ("quiet", "winter house", "winter 77", "a", "x", "7", "nobody", "clube de leitores", "ana", "ana silva")
# What the filters that are no choice are asked for.
ASKED: dict[str, tuple[Any, ...]] = {
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
    """What an answer took."""

    warm: float
    cold: float
    queries: int
    status: int
    bytes: int
    caller: str
    path: str

    @property
    def is_over(self) -> bool:
        """Whether that is more than it may."""
        return self.warm > MOST_SECONDS or self.queries > MOST_QUERIES or self.status >= 500


def measure(client: APIClient, caller: str, path: str) -> tuple[Cost, str | None]:
    """Ask three times with an empty cache; the better one of the last two is what it takes warm. With the next page."""
    took = []
    for _round in range(3):
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            began = time.perf_counter()
            answer: Any = client.get(path)
            body = answer.getvalue()
            took.append(time.perf_counter() - began)
    cost = Cost(min(took[1:]), took[0], len(queries), answer.status_code, len(body), caller, path)
    following = re.search(rb'"next":"([^"]+)"', body)
    return cost, following and following[1].decode()


def places(club: Club) -> dict[str, Any]:
    """What stands for each variable of a path: of the largest club, of its longest thread, of the most rated book."""
    thread = Thread.objects.filter(club=club).order_by("-posts_count").first()
    entry = Entry.objects.filter(club=club).order_by("position").first()
    newest = {
        "post_id": Post.objects.filter(thread=thread).order_by("pk").first(),
        "thread_id": thread,
        "entry_id": entry,
        "milestone_id": Milestone.objects.filter(entry=entry).first(),
        "ballot_id": club.ballots.order_by("pk").first(),
        "meeting_id": club.meetings.order_by("pk").first(),
        "review_id": Review.objects.order_by("-likes_count").first(),
        "club_id": club,
    }
    return {name: getattr(row, "pk", 0) for name, row in newest.items()}


def filled(path: str, found: dict[str, Any], book: int, owner: Any) -> str:
    """A path with rows in it."""
    for name, pk in (found | {"book_id": book}).items():
        path = path.replace(f"{{{name}}}", str(pk))
    return path.replace("{user_id}", str(owner.pk)).replace("{username}", owner.username)


def asked(operation: dict[str, Any], book: int, owner: int) -> Iterator[str]:
    """The route as it is, in each order, and with each filter by itself and in each order."""
    choices: dict[str, tuple[Any, ...]] = {}
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "query" and parameter["name"] not in ("cursor", "token"):
            name = parameter["name"]
            own = {"book": (book, 0), "user": (owner, 0), "entry": (0,)}
            choices[name] = tuple(parameter["schema"].get("enum") or ASKED.get(name) or own[name])
    orders = ["", *(f"ordering={order}" for order in choices.pop("ordering", ()))]
    for order in orders:
        yield f"?{order}"
        for name, values in choices.items():
            yield from (f"?{name}={value}&{order}".rstrip("&") for value in values)


def main() -> None:
    """Ask for them all."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--most", type=int, default=25, help="how many to print")
    options.add_argument("--only", default="", help="routes in whose path this is")
    chosen = options.parse_args()
    settings.ALLOWED_HOSTS = ["*"]
    club = Club.objects.order_by("-members_count").first()
    assert club is not None
    owner = club.owner
    book = Review.objects.aggregate(most=Max("book__ratings_count"))["most"]
    book = Review.objects.filter(book__ratings_count=book).values_list("book", flat=True).first() or 0
    found = places(club)
    signed_in, nobody = APIClient(), APIClient()
    signed_in.force_authenticate(owner)
    costs: list[Cost] = []
    for path, methods in SchemaGenerator().get_schema(request=None, public=True)["paths"].items():
        if "get" not in methods or chosen.only not in path or path.endswith(LEFT_OUT):
            continue
        address = filled(path, found, book, owner)
        for query in asked(methods["get"], book, owner.pk):
            for caller, client in (("owner", signed_in), ("nobody", nobody)):
                cost, following = measure(client, caller, f"{address}{query}")
                if cost.status != 401:
                    costs.append(cost)
                if following and query == "?":
                    costs.append(measure(client, caller, following)[0])
    costs.sort(key=lambda cost: (cost.is_over, cost.warm), reverse=True)
    for cost in costs[: chosen.most]:
        told = "  TOO MUCH" if cost.is_over else ""
        print(
            f"{cost.warm * 1000:6.0f} ms warm {cost.cold * 1000:6.0f} ms cold {cost.queries:3} queries"
            f" {cost.bytes / 1024:6.0f} KB {cost.status} {cost.caller:6} {cost.path}{told}"
        )
    over = [cost for cost in costs if cost.is_over]
    refused = sum(400 <= cost.status < 500 for cost in costs)
    print(f"{len(costs)} answers, {refused} of them refusals, {len(over)} over what they may take")
    sys.exit(bool(over))


if __name__ == "__main__":
    main()
