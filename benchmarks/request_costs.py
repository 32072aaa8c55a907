"""Benchmark of requests: prints the SQL statements, Redis round trips and CPU milliseconds of each operation.

    DATABASE_URL=mysql://... REDIS_URL=redis://... SECRET_KEY=... JWT_PRIVATE_KEY=... \\
        python benchmarks/request_costs.py [--rounds 5] [--only W1] [--all]

Requests go to the WSGI application in this process, with the settings of production. The CPU time is that of this
process, without the database and the application server; it is the smallest mean of several rounds, so that other work
on the machine disturbs it little. "cold" is with an empty response cache. SQL statements are those that the database
server counts, with BEGIN and COMMIT. `--all` adds every GET of the OpenAPI document, as the owner of the largest club.

Use a database that may be written to, such as that of `benchmarks/systems/bookbridge`, and a Redis database of its own.
"""

import argparse
import base64
import gc
import io
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, cycle
from pathlib import Path
from typing import Any
from unittest.mock import patch
from wsgiref.util import setup_testing_defaults

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ["DJANGO_SETTINGS_MODULE"] = "bookbridge.settings"
for _scope in ("LOGIN", "REGISTER", "INVITE", "WRITE", "USER", "ANON"):
    os.environ[f"RATE_{_scope}"] = "999999999/min"

from bookbridge.wsgi import application  # isort: skip  (sets up Django)
from api_reads import EXCLUDED, fill_path, path_parameters
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.db import connection
from drf_spectacular.generators import SchemaGenerator

from accounts import tokens
from accounts.models import User
from catalog.models import Book
from clubs.models import Club, Visibility
from core.redis import CircuitBreakerConnection
from reviews.models import Review

PASSWORD = "Reading-2-gether!"
REQUESTS_PER_ROUND = 25


@dataclass
class Operation:
    """A request to measure; `path` and `body` are called for each request."""

    name: str
    path: Callable[[], str]
    method: str = "GET"
    token: str = ""
    body: Callable[[], Any] | None = None
    headers: dict[str, str] | None = None
    cold: bool = False


@dataclass
class Cost:
    """The cost of one request."""

    status: int
    statements: float
    redis_calls: float
    cpu_ms: float

    def cells(self) -> list[str]:
        """Return the cells of the table."""
        return [str(self.status), f"{self.statements:g}", f"{self.redis_calls:g}", f"{self.cpu_ms:.2f}"]


def send(operation: Operation) -> int:
    """Send one request and return its status."""
    path, _, query = operation.path().partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": operation.method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REMOTE_ADDR": "192.0.2.1",
        "HTTP_HOST": "localhost",
        "HTTP_ACCEPT": "application/json",
        **(operation.headers or {}),
    }
    if operation.token:
        environ["HTTP_AUTHORIZATION"] = f"Bearer {operation.token}"
    if operation.body:
        body = json.dumps(operation.body()).encode()
        environ |= {
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
    setup_testing_defaults(environ)
    statuses: list[str] = []
    response = application(environ, lambda status, headers, error=None: statuses.append(status))
    for _chunk in response:
        pass
    response.close()
    return int(statuses[0][:3])


def statements() -> int:
    """Return the number of statements of this connection so far, without this one."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Questions'")
        return int(cursor.fetchone()[1]) - 1


def measure(operation: Operation, rounds: int) -> Cost:
    """Measure one operation."""
    for _ in range(3):
        status = send(operation)
    times = []
    for _ in range(rounds):
        spent = 0.0
        for _ in range(REQUESTS_PER_ROUND):
            if operation.cold:
                cache.clear()
            started = time.process_time()
            send(operation)
            spent += time.process_time() - started
        times.append(spent / REQUESTS_PER_ROUND)
    return Cost(status, *count_calls(operation), min(times) * 1000)


def count_calls(operation: Operation, requests: int = 4) -> tuple[float, float]:
    """Return the number of SQL statements and of Redis round trips of a request."""
    sent: list[object] = []
    original = CircuitBreakerConnection.send_packed_command

    def counted(self: Any, command: Any, *args: Any, **kwargs: Any) -> Any:
        sent.append(command)
        return original(self, command, *args, **kwargs)

    used, redis_calls = 0, 0
    with patch.object(CircuitBreakerConnection, "send_packed_command", counted):
        for _ in range(requests):
            if operation.cold:
                cache.clear()
            sent.clear()
            before = statements()
            send(operation)
            used += statements() - before - 1
            redis_calls += len(sent)
    return used / requests, redis_calls / requests


def workloads(member: User, club: Club) -> Iterator[Operation]:
    """Yield the workloads of the comparison with other systems."""
    token = tokens.sign_in(member, device="benchmark").access
    popular = cycle(Book.objects.order_by("-ratings_count", "-id").values_list("pk", flat=True)[:100])
    one, numbers = next(popular), count()
    unreviewed = iter(Book.objects.exclude(reviews__author=member).order_by("pk").values_list("pk", flat=True)[:5000])
    for name, path in (
        ("W1 book", f"/api/v1/books/{one}/"),
        ("W2 catalog", "/api/v1/books/"),
        ("W3 reviews of a book", f"/api/v1/books/{one}/reviews/"),
        ("W6 statistics", "/api/v1/stats/?min_ratings=100"),
    ):
        yield Operation(name, lambda path=path: path)
        yield Operation(f"{name}, cold", lambda path=path: path, cold=True)
    yield Operation("W1 book, 304", lambda: f"/api/v1/books/{one}/", headers={"HTTP_IF_NONE_MATCH": "*"})
    deep = Review.objects.order_by("-created_at", "-id").values_list("created_at", "id")[Review.objects.count() // 2]
    yield Operation("W3d reviews, first page", lambda: "/api/v1/reviews/")
    yield Operation("W3d reviews, deep page", lambda: f"/api/v1/reviews/?cursor={cursor(deep)}")
    yield Operation("W4 club", lambda: f"/api/v1/clubs/{club.pk}/", token=token)
    yield Operation("W4 its reading list", lambda: f"/api/v1/clubs/{club.pk}/books/", token=token)
    yield Operation("W4 club with its list", lambda: f"/api/v1/clubs/{club.pk}/?include=books", token=token)
    words = cycle(Book.objects.order_by("pk").values_list("title_key", flat=True)[:200])
    yield Operation("W7 search", lambda: "/api/v1/books/?search=" + re.sub(r"\W+", "+", next(words)).strip("+")[:20])
    yield Operation(
        "W5 write a review",
        lambda: f"/api/v1/books/{next(unreviewed)}/reviews/",
        "POST",
        token,
        lambda: {"rating": 4, "body": f"Quiet, and better than I expected. {next(numbers)}"},
    )
    yield Operation(
        "W8 login",
        lambda: "/api/v1/auth/login/",
        "POST",
        body=lambda: {"username": member.username, "password": PASSWORD},
    )


def cursor(values: Any) -> str:
    """Return the cursor of the page of reviews after these values."""
    created_at, pk = values
    text = json.dumps(["-created_at", [created_at.isoformat(), pk], False])
    return base64.urlsafe_b64encode(text.encode()).decode()


def all_reads(club: Club) -> Iterator[Operation]:
    """Yield every GET of the API, as the owner of the club."""
    token = tokens.sign_in(club.owner, device="benchmark").access
    book = Book.objects.order_by("-ratings_count").values_list("pk", flat=True)[0]
    parameters = path_parameters(club)
    for path, methods in SchemaGenerator().get_schema(request=None, public=True)["paths"].items():
        if "get" in methods and not path.endswith(EXCLUDED):
            address = fill_path(path, parameters, book, club.owner)
            yield Operation(path, lambda address=address: address, token=token)


def main() -> None:
    """Measure the operations and print a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--only", default="", help="only operations whose name contains this")
    options.add_argument("--all", action="store_true", help="also every GET of the API")
    chosen = options.parse_args()
    club = Club.objects.filter(visibility=Visibility.PRIVATE).order_by("-members_count", "pk")[0]
    member = club.memberships.active().exclude(user=club.owner).order_by("pk")[0].user
    User.objects.filter(pk=member.pk).update(password=make_password(PASSWORD))
    member.refresh_from_db()
    operations = list(workloads(member, club))
    if chosen.all:
        largest = Club.objects.order_by("-members_count", "pk")[0]
        operations += all_reads(largest)
    gc.collect()
    gc.freeze()
    print("| operation | status | SQL statements | Redis round trips | CPU ms |\n| --- | --- | --- | --- | --- |")
    for operation in operations:
        if chosen.only in operation.name:
            cost = measure(operation, chosen.rounds)
            print("|", " | ".join([operation.name, *cost.cells()]), "|", flush=True)


if __name__ == "__main__":
    main()
