"""Benchmark of requests: prints the SQL statements, Redis round trips and CPU milliseconds of each operation.

    DATABASE_URL=mysql://... REDIS_URL=redis://... SECRET_KEY=... JWT_PRIVATE_KEY=... \\
        python benchmarks/request_costs.py [--rounds 5] [--only W1] [--all | --check]

Requests go to the WSGI application in this process, with the settings of production. The CPU time is that of this
process, without the database and the application server; it is the smallest mean of several rounds, so that other work
on the machine disturbs it little. Statements are those that the database server counts; "cold" is with an empty cache.
`--all` adds all operations of the OpenAPI document, as the owner of the largest club; writes are rolled back. `--check`
compares the counts with `budgets.json` instead of measuring time, and exits with status 1 if one is higher:
`tests/test_request_budgets.py` runs it.

`--parts` prints instead which share of the time each part of the code takes by itself, according to cProfile.

Use a database that may be written to, such as that of `benchmarks/systems/bookbridge`, and a Redis database of its own.
"""

import argparse
import base64
import cProfile
import gc
import io
import json
import os
import pstats
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
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
from api_writes import writes
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, transaction
from drf_spectacular.generators import SchemaGenerator

from accounts import tokens
from accounts.models import User
from catalog.models import Book
from clubs.models import Club, Visibility
from core.redis import CircuitBreakerConnection
from reviews.models import Review

# Parts of the code by prefixes of module paths; a module belongs to the first part that matches.
PARTS = {
    "serializers": (
        "core/api/serializers.py",
        "core/api/readers.py",
        "rest_framework/fields.py",
        "rest_framework/serializers.py",
        "copy.py",
    ),
    "rows": ("core/db/prepared.py", "core/db/rows.py"),
    "SQL driver": ("MySQLdb/", "django/db/backends/", "core/counters/", "django/utils/asyncio.py"),
    "building and compiling querysets": ("django/db/", "core/db/", "django_filters/", "core/search/"),
    "Redis": ("redis/", "django_redis/", "core/redis.py", "django/core/cache/"),
    "response cache, throttle": ("core/api/response_cache.py", "core/api/throttling.py"),
    "tokens": ("jwt/", "rest_framework_simplejwt/", "cryptography/", "accounts/"),
    "access log, metrics": ("core/observability/", "logging/", "prometheus_client/", "pythonjsonlogger/"),
    "URL lookup": ("django/urls/", "core/api/routers.py"),
    "DRF and the views' base classes": ("rest_framework/", "core/api/", "drf_spectacular/"),
    "Django's requests, responses and middleware": ("django/", "whitenoise/", "corsheaders/"),
}

PASSWORD = "Reading-2-gether!"
REQUESTS_PER_ROUND = 25
BUDGETS = Path(__file__).with_name("budgets.json")


@dataclass
class Operation:
    """A request to measure; `path` and `body` are called for each request."""

    name: str
    path: Callable[[], str]
    method: str = "GET"
    token: str = ""
    body: Callable[[], Any] | None = None
    cold: bool = False
    not_modified: bool = False
    rolled_back: bool = False


@dataclass
class Cost:
    """The cost of one request."""

    status: int
    statements: float
    redis_calls: float
    cpu_ms: float | None

    def cells(self) -> list[str]:
        """Return the cells of the table."""
        return [str(self.status), f"{self.statements:g}", f"{self.redis_calls:g}", f"{self.cpu_ms or 0:.2f}"]


def send(operation: Operation, **headers: str) -> tuple[int, dict[str, str]]:
    """Send one request and return its status and headers."""
    path, _, query = operation.path().partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": operation.method,
        "PATH_INFO": path.encode().decode("latin-1"),  # as WSGI has it
        "QUERY_STRING": query,
        "REMOTE_ADDR": "192.0.2.1",
        "HTTP_HOST": "localhost",
        "HTTP_ACCEPT": "application/json",
        **headers,
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
    started: list[tuple[str, list[tuple[str, str]]]] = []
    with rolled_back() if operation.rolled_back else nullcontext():
        response = application(environ, lambda status, fields, error=None: started.append((status, fields)))
        for _chunk in response:
            pass
        response.close()
    status, fields = started[0]
    return int(status[:3]), dict(fields)


@contextmanager
def rolled_back() -> Iterator[None]:
    """Roll back what is written inside the block.

    BEGIN and COMMIT of the request become the two statements of a savepoint.
    """
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)  # it would close the connection in the transaction
    try:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


def statements() -> int:
    """Return the number of statements of this connection so far, without this one."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Questions'")
        return int(cursor.fetchone()[1]) - 1


def measure(operation: Operation, rounds: int) -> Cost:
    """Measure one operation; without rounds only count."""
    headers: dict[str, str] = {}
    for _ in range(3):
        status, received = send(operation, **headers)
        if operation.not_modified:
            headers = {"HTTP_IF_NONE_MATCH": received["ETag"]}
    times = []
    for _ in range(rounds):
        spent = 0.0
        for _ in range(REQUESTS_PER_ROUND):
            if operation.cold:
                cache.clear()
            started = time.process_time()
            send(operation, **headers)
            spent += time.process_time() - started
        times.append(spent / REQUESTS_PER_ROUND)
    return Cost(status, *count_calls(operation, headers), min(times) * 1000 if times else None)


def measure_parts(operation: Operation, requests: int = 100) -> dict[str, float]:
    """Return the share of each part in the CPU time of a request, in percent."""
    send(operation)
    profile = cProfile.Profile(time.process_time)
    for _ in range(requests):
        if operation.cold:
            cache.clear()
        profile.runcall(send, operation)
    spent = dict.fromkeys([*PARTS, "other"], 0.0)
    for (path, *_name), (_calls, _all_calls, own, _total, callers) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        if path == "~":  # the time of a function in C counts for its callers
            for (caller, *_caller_name), (_n, _m, seconds, _t) in callers.items():
                spent[part_of(caller)] += seconds
        else:
            spent[part_of(path)] += own
    return {name: 100 * seconds / sum(spent.values()) for name, seconds in spent.items()}


def part_of(path: str) -> str:
    """Return the part that a module belongs to."""
    path = re.sub(r".*/(site-packages|python3\.\d+)/", "", path).removeprefix(f"{Path(__file__).resolve().parents[1]}/")
    return next((name for name, starts in PARTS.items() if path.startswith(starts)), "other")


def count_calls(operation: Operation, headers: dict[str, str], requests: int = 4) -> tuple[float, float]:
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
            send(operation, **headers)
            used += statements() - before - (3 if operation.rolled_back else 1)
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
        yield from variants(Operation(name, lambda path=path: path))
    deep = Review.objects.order_by("-created_at", "-id").values_list("created_at", "id")[Review.objects.count() // 2]
    yield Operation("W3d reviews, first page", lambda: "/api/v1/reviews/")
    yield from variants(Operation("W3d reviews, deep page", lambda: f"/api/v1/reviews/?cursor={cursor(deep)}"))
    yield Operation("W4 club", lambda: f"/api/v1/clubs/{club.pk}/", token=token)
    yield Operation("W4 its reading list", lambda: f"/api/v1/clubs/{club.pk}/books/", token=token)
    club_with_list = f"/api/v1/clubs/{club.pk}/?include=books"
    yield from variants(Operation("W4 club with its list", lambda: club_with_list, token=token))
    titles = Book.objects.order_by("pk").values_list("title_key", flat=True)[:200]
    words = [re.sub(r"\W+", "+", title).strip("+")[:20] for title in titles]
    yield from variants(Operation("W7 search", lambda: f"/api/v1/books/?search={words[0]}"))
    various = cycle(words)
    yield Operation("W7 search, various words", lambda: f"/api/v1/books/?search={next(various)}")
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


def variants(operation: Operation) -> Iterator[Operation]:
    """Yield a read as it is, with an empty cache, and with the ETag of the former response."""
    yield operation
    yield replace(operation, name=f"{operation.name}, cold", cold=True)
    yield replace(operation, name=f"{operation.name}, 304", not_modified=True)


def cursor(values: Any) -> str:
    """Return the cursor of the page of reviews after these values."""
    created_at, pk = values
    text = json.dumps(["-created_at", [created_at.isoformat(), pk], False])
    return base64.urlsafe_b64encode(text.encode()).decode()


def all_operations(club: Club) -> Iterator[Operation]:
    """Yield every GET of the API and the writes of `api_writes`, as the owner of the club."""
    token = tokens.sign_in(club.owner, device="benchmark").access
    book = Book.objects.order_by("-ratings_count").values_list("pk", flat=True)[0]
    parameters = path_parameters(club)
    for path, methods in SchemaGenerator().get_schema(request=None, public=True)["paths"].items():
        if "get" in methods and not path.endswith(EXCLUDED):
            address = fill_path(path, parameters, book, club.owner)
            yield Operation(f"GET {path[7:]}", lambda address=address: address, token=token)
    for method, path, body in writes(club, PASSWORD):
        address = fill_path(path, parameters, book, club.owner)
        operation = Operation(f"{method} {path[7:]}", lambda address=address: address, method, token, rolled_back=True)
        yield operation if body is None else replace(operation, body=lambda body=body: body)


def main() -> None:
    """Measure the operations and print a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--only", default="", help="only operations whose name contains this")
    options.add_argument("--all", action="store_true", help="also every operation of the API")
    options.add_argument("--check", action="store_true", help="compare the counts with budgets.json")
    options.add_argument("--parts", action="store_true", help="where the time goes")
    chosen = options.parse_args()
    club = Club.objects.filter(visibility=Visibility.PRIVATE).order_by("-members_count", "pk")[0]
    member = club.memberships.active().exclude(user=club.owner).order_by("pk")[0].user
    User.objects.filter(pk=member.pk).update(password=make_password(PASSWORD))
    member.refresh_from_db()
    operations = list(workloads(member, club))
    if chosen.all:
        largest = Club.objects.order_by("-members_count", "pk")[0]
        User.objects.filter(pk=largest.owner_id).update(password=make_password(PASSWORD))
        operations += all_operations(largest)
    gc.collect()
    gc.freeze()
    operations = [operation for operation in operations if chosen.only in operation.name]
    if chosen.check:
        sys.exit(check(operations))
    if chosen.parts:
        for operation in operations:
            shares = measure_parts(operation).items()
            print(operation.name, *(f"{share:5.1f} % {name}" for name, share in shares), sep="\n")
        return
    print("| operation | status | SQL statements | Redis round trips | CPU ms |\n| --- | --- | --- | --- | --- |")
    for operation in operations:
        cost = measure(operation, chosen.rounds)
        print("|", " | ".join([operation.name, *cost.cells()]), "|", flush=True)


def check(operations: Iterable[Operation]) -> bool:
    """Print the counts that differ from the budgets; return whether one is higher or an operation fails."""
    budgets = json.loads(BUDGETS.read_text())
    failed = False
    for operation in operations:
        cost = measure(operation, rounds=0)
        counts, budget = [cost.statements, cost.redis_calls], budgets.get(operation.name, [0, 0])
        is_over = cost.status >= 400 or any(count > allowed for count, allowed in zip(counts, budget, strict=True))
        failed |= is_over
        if is_over or counts != budget:
            verdict = "over the budget" if is_over else "the budget can be lowered"
            print(f"{operation.name}: status {cost.status}, {counts} (statements, round trips) of {budget}: {verdict}")
    return failed


if __name__ == "__main__":
    main()
