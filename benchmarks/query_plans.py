"""Query plans of all API reads: prints the plan of each statement that scans a table or sorts many rows.

    DATABASE_URL=mysql://... python benchmarks/query_plans.py [--rows 2000] [--only /clubs/] [--all]

Requests each list in each order, with each filter and search, and each detail route, as `api_reads.py` does, and runs
EXPLAIN for the statements; those that differ in values only are explained once. Flagged are full scans of a table or an
index, and sorting, over more than `--rows` rows, by the estimate of MariaDB or MySQL. `--all` prints all plans. Exits
with status 1 if a plan is flagged. Fill the database first (`benchmarks/fill_database.py`).
"""

import argparse
import re
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from api_reads import EXCLUDED, fill_path, path_parameters, query_strings  # sets up Django
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models import Max
from django.test.utils import CaptureQueriesContext
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from clubs.models import Club
from reviews.models import Review


class Step(NamedTuple):
    """A line of a plan."""

    table: str
    kind: str
    key: str
    rows: int
    extra: str

    def flags(self, limit: int) -> list[str]:
        """Return what is wrong with this step."""
        if self.rows <= limit:
            return []
        scans = {"ALL": ["full scan of the table"], "index": ["full scan of an index"]}.get(self.kind, [])
        return scans + [sort for sort in ("filesort", "temporary") if sort in self.extra]


def explain(sql: str) -> list[Step]:
    """Return the plan of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN FORMAT=TRADITIONAL {sql}")
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [
        Step(row["table"] or "", row["type"] or "", row["key"] or "", _rows(row["rows"]), row["Extra"] or "")
        for row in rows
    ]


def _rows(text: Any) -> int:
    """Return the number of rows; MariaDB adds the share that a filter leaves: `20 (3%)`."""
    return int(str(text or 0).split()[0])


def requests(only: str) -> Iterator[tuple[APIClient, str]]:
    """Yield a client and a URL for each request, as the owner of the largest club and anonymously."""
    club = Club.objects.order_by("-members_count", "pk")[0]
    most = Review.objects.aggregate(max=Max("book__ratings_count"))["max"]
    book = Review.objects.filter(book__ratings_count=most).values_list("book", flat=True)[0]
    parameters = path_parameters(club)
    authenticated, anonymous = APIClient(), APIClient()
    authenticated.force_authenticate(club.owner)
    for path, methods in SchemaGenerator().get_schema(request=None, public=True)["paths"].items():
        if "get" in methods and only in path and not path.endswith(EXCLUDED):
            for query in query_strings(methods["get"], book, club.owner.pk):
                for client in (authenticated, anonymous):
                    yield client, fill_path(path, parameters, book, club.owner) + query


def main() -> None:
    """Explain the statements of all reads."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=2000, help="flag scans and sorts of more rows than this")
    options.add_argument("--only", default="", help="only routes whose path contains this")
    options.add_argument("--all", action="store_true", help="print all plans")
    chosen = options.parse_args()
    settings.ALLOWED_HOSTS = ["*"]
    seen: set[str] = set()
    flagged = 0
    for client, url in requests(chosen.only):
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            response: Any = client.get(url)
            response.getvalue()
        for sql in (query["sql"] for query in queries if query["sql"].startswith("SELECT")):
            shape = re.sub(r"'(?:[^'\\]|\\.)*'|\b\d+\b", "?", sql)
            if shape in seen:
                continue
            seen.add(shape)
            plan = explain(sql)
            flags = sorted({flag for step in plan for flag in step.flags(chosen.rows)})
            flagged += bool(flags)
            if flags or chosen.all:
                print(f"{url}\n  {', '.join(flags) or 'fine'}\n  {sql[:1500]}")
                for step in plan:
                    print(f"    {step.table:32} {step.kind:12} {step.key:32} {step.rows:>9,}  {step.extra}")
    print(f"{len(seen)} statements, {flagged} flagged")
    sys.exit(bool(flagged))


if __name__ == "__main__":
    main()
