"""Benchmark of merging two popular books and undoing it, under concurrent API requests.

    DATABASE_URL=mysql://... python benchmarks/book_merges.py [--reviews 100000] [--shared 10000] [--lists 2000]

Needs the users and clubs of seed_demo (`--users 100000 --clubs 5000`). Adds two books with `--reviews` reviews each,
`--shared` of them by users who reviewed both, and puts each on `--lists` reading lists, half of them of the same clubs.
While one process merges like the admin page and its tasks, other threads read, create, update and delete reviews of
both books. Finally all affected counters are verified; wrong counters or 5xx responses give exit status 1.
"""

import argparse
import multiprocessing
import os
import random
import resource
import sys
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookbridge.settings")
os.environ.setdefault("DEBUG", "on")

import django

django.setup()

from django.conf import settings
from django.db import connection
from generated_rows import create_numbers, fill, last_id, update_counters
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import User
from catalog.merges import runner, services
from catalog.models import Book, Merge
from clubs.models import Club, Entry, Membership, Progress
from core.registry import column_checks, counter_checks, merge_handlers
from reviews.models import Review
from stats import counters as statistics

CLIENTS, PAUSE_SECONDS = 4, 0.02


class TimedHandler:
    """A merge handler that times each transaction."""

    def __init__(self, handler: runner.MergeHandler) -> None:
        self.handler, self.times, self.name = handler, [], type(handler).__name__

    def move(self, merge: Merge) -> bool:
        """Move a batch."""
        return self._timed(self.handler.move, merge)

    def undo_move(self, merge: Merge) -> bool:
        """Undo the move of a batch."""
        return self._timed(self.handler.undo_move, merge)

    def _timed(self, step: Any, merge: Merge) -> bool:
        began = time.perf_counter()
        try:
            return step(merge)
        finally:
            self.times.append(time.perf_counter() - began)


def build(reviews: int, shared: int, lists: int) -> tuple[int, int]:
    """Create the books and their data; return the ids of the target and the source book."""
    create_numbers(max(reviews, 50_000))
    first = User.objects.filter(username_key__contains=".").order_by("pk").values_list("pk", flat=True).first()
    name = f"CONCAT('merge', {last_id(User)}, 'x', n)"
    added = fill(User, reviews - shared, username=name, username_key=name, password="'!'")
    target, source = (Book.create_book(by=None, title=f"A Work {n}", authors=["Known Well"]).pk for n in (1, 2))
    # Old reviews, so that they do not affect when members were last active.
    columns = {
        "created_at": "'2021-05-01'",
        "body": "REPEAT('It is long. ', 20)",
        "language": "'en'",
        "rating": "1 + MOD(n, 10)",
    }
    both = f"IF(n <= {shared}, {first} - 1 + n, {added} + n - {shared})"
    fill(Review, reviews, book=str(target), author=both, **columns)
    fill(Review, reviews, book=str(source), author=f"{first} - 1 + n", **columns)
    club = Club.objects.order_by("pk").values_list("pk", flat=True)[0]
    place = "(SELECT COUNT(*) FROM clubs_entry AS e WHERE e.club_id = {club}) + 1"
    for book, shift in ((target, 0), (source, lists // 2)):
        club_id = f"{club + shift} + n"
        before = fill(
            Entry,
            lists,
            club=club_id,
            book=str(book),
            added_by=None,
            status="'reading'",
            position=place.format(club=club_id),
        )
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO clubs_progress (entry_id, user_id, percent, unit, amount, total, hidden, updated_at)"
                " SELECT e.id, m.user_id, 50, 'percent', 50, 100, 0, '2021-05-01' FROM clubs_entry AS e"
                " JOIN clubs_membership AS m ON m.club_id = e.club_id WHERE e.id > %s AND m.status = 'active'",
                [before],
            )
    return target, source


def affected_ids(books: tuple[int, int]) -> dict[Any, Any]:
    """Return the ids of all rows whose counters the merge changes, by model."""
    reviews, entries = Review.objects.filter(book__in=books), Entry.objects.filter(book__in=books)
    authors = set(reviews.exclude(author=None).values_list("author", flat=True))
    clubs = set(entries.values_list("club", flat=True))
    return {
        Book: list(books),
        Review: list(reviews.values_list("pk", flat=True)),
        User: list(authors),
        Entry: list(entries.values_list("pk", flat=True)),
        Membership: [
            pk
            for pk, user, club in Membership.objects.values_list("pk", "user", "club")
            if user in authors or club in clubs
        ],
    }


def update_all_counters(books: tuple[int, int]) -> None:
    """Update the counters that `build` did not write."""
    update_counters("books", "users")
    rows = affected_ids(books)
    Membership.objects.refresh_last_active(rows[Membership])
    statistics.recompute(rows[Entry])
    for each in column_checks.values():
        if each.model is Book:
            list(each.differences(rows[Book], repair=True))
    for total in counter_checks.values():
        total.differences(repair=True)


def count_wrong(books: tuple[int, int]) -> int:
    """Verify the counters; return how many are wrong."""
    found, rows = 0, affected_ids(books)
    for each in column_checks.values():
        ids = rows.get(each.model, [])
        for start in range(0, len(ids), 1000):
            for difference in each.differences(ids[start : start + 1000], repair=False):
                found += 1
                if found < 10:
                    print(" ", difference)
    return found + sum(len(total.differences(repair=False)) for total in counter_checks.values())


def read_and_write(books: tuple[int, int], stop: Any, results: Any) -> None:
    """Send random requests from several threads until `stop` is set; put status counts and times into `results`."""
    settings.ALLOWED_HOSTS = ["*"]
    rates = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
    rates.update(dict.fromkeys(rates))
    statuses: Counter[str] = Counter()
    durations: defaultdict[str, list[float]] = defaultdict(list)

    def send_requests(number: int) -> None:
        generator = random.Random(number)
        users = User.objects.filter(username_key__contains=".").order_by("pk")
        callers = [*users[number * 50 : number * 50 + 20], *users.reverse()[number * 50 : number * 50 + 20]]
        clients = []
        for user in callers:
            client = APIClient()
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.sign_in(user, device='').access}")
            clients.append((user, client))
        while not stop.is_set():
            user, client = generator.choice(clients)
            book, action = (
                generator.choice(books),
                generator.choice(("create", "create", "update", "delete", "get", "list")),
            )
            own = Review.objects.filter(author=user, book__in=books).values_list("pk", flat=True).first()
            url = f"/api/v1/reviews/{own}/"
            began = time.perf_counter()
            if action == "create":
                response = client.post(
                    "/api/v1/reviews/", {"book": book, "rating": generator.randint(1, 5)}, format="json"
                )
            elif action in ("update", "delete") and own is None:
                continue
            elif action == "update":
                response = client.patch(url, {"rating": generator.randint(1, 5)}, format="json")
            elif action == "delete":
                response = client.delete(url)
            else:
                response = client.get(f"/api/v1/books/{book}/{'reviews/' if action == 'list' else ''}")
            durations[action].append(time.perf_counter() - began)
            statuses[f"{action} {response.status_code}"] += 1
            time.sleep(PAUSE_SECONDS)
        connection.close()

    threads = [threading.Thread(target=send_requests, args=[number]) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put((dict(sorted(statuses.items())), {action: sorted(times) for action, times in durations.items()}))


def run(name: str, begin: Any, books: tuple[int, int]) -> Merge:
    """Merge or undo under concurrent requests, and print the results."""
    spawn = multiprocessing.get_context("spawn")
    stop, results = spawn.Event(), spawn.Queue()
    clients = spawn.Process(target=read_and_write, args=[books, stop, results])
    clients.start()
    time.sleep(5)  # until the clients are running
    for handler in merge_handlers.values():
        handler.times.clear()  # type: ignore[attr-defined]
    began = time.perf_counter()
    merge = begin()
    page_seconds = time.perf_counter() - began
    rounds = 1
    while not runner.run_merge(merge, seconds=runner.MAX_SECONDS_PER_RUN):
        rounds += 1
    took = time.perf_counter() - began
    stop.set()
    statuses, durations = results.get()
    clients.join()
    print(f"{name}: {took:.1f} s in total, {page_seconds:.1f} s of it in the page; {rounds} tasks of two seconds")
    for handler in merge_handlers.values():
        times = sorted(handler.times)  # type: ignore[attr-defined]
        if times:
            median = times[len(times) // 2]
            print(
                f"  {handler.name}: {len(times):,} transactions, {median * 1000:.0f} ms, longest {times[-1] * 1000:.0f}"
            )  # type: ignore[attr-defined]
    print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")
    print(f"  requests: {statuses}")
    for action, times in durations.items():
        print(f"    {action}: {times[len(times) // 2] * 1000:.0f} ms, slowest {times[-1] * 1000:.0f}")
    wrong = count_wrong(books)
    print(f"  {wrong} counters wrong")
    if wrong or any(" 5" in status for status in statuses):
        sys.exit(1)
    return merge


def main() -> None:
    """Build the data, merge and undo."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--reviews", type=int, default=100_000)
    options.add_argument("--shared", type=int, default=10_000)
    options.add_argument("--lists", type=int, default=2_000)
    chosen = options.parse_args()
    books = build(chosen.reviews, chosen.shared, chosen.lists)
    update_all_counters(books)
    print(f"progress rows: {Progress.objects.filter(entry__book__in=books).count():,}", flush=True)
    for name, handler in merge_handlers.items():
        merge_handlers[name] = TimedHandler(handler)
    target, source = (Book.objects.get(pk=pk) for pk in books)
    by = User.objects.filter(username="benchmark").first() or User.objects.create_superuser("benchmark", None)
    merge = run(
        "merge", lambda: services.merge_books(target=target, source=source, by=by, reason="The same work"), books
    )
    # Reviews written to the target book since the merge stay there.

    def undo() -> Merge:
        services.undo_merge(merge, by=by, reason="Two works")
        return merge

    run("undo", undo, books)


if __name__ == "__main__":
    main()
