"""What it costs to merge two well-known books and to undo it, and what readers of both notice meanwhile.

    DATABASE_URL=mysql://... python benchmarks/merging.py [--reviews 100000] [--shared 10000] [--lists 2000]

It needs the readers and clubs of seed_demo (`--users 100000 --clubs 5000`), and adds two books with so many reviews
each, `shared` of them by readers of both, and a place on so many clubs' lists each, half of them the same clubs. While
one process merges, as a page of the admin and its jobs do, others read, write, change and delete reviews of both
books. In the end each figure of what was touched is counted afresh.
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
from filling import figures, fill, last, numbers
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import User
from catalog.merging import moving, services
from catalog.merging.models import Merge
from catalog.models import Book
from clubs.members import services as members
from clubs.models import Club, Entry, Membership, Progress
from clubs.statistics import services as statistics
from reviews.checks import CHECKS, TOTALS
from reviews.models import Review

READERS, PAUSE = 4, 0.02


class Timed:
    """A part of merges, each of whose transactions is timed."""

    def __init__(self, part: moving.Part) -> None:
        self.part, self.steps, self.name = part, [], type(part).__name__.lower()

    def move(self, merge: Merge) -> bool:
        """As the part does."""
        return self._timed(self.part.move, merge)

    def move_back(self, merge: Merge) -> bool:
        """As the part does."""
        return self._timed(self.part.move_back, merge)

    def _timed(self, step: Any, merge: Merge) -> bool:
        began = time.perf_counter()
        try:
            return step(merge)
        finally:
            self.steps.append(time.perf_counter() - began)


def build(reviews: int, shared: int, lists: int) -> tuple[int, int]:
    """The two books, the kept one first."""
    numbers(max(reviews, 50_000))
    first = User.objects.filter(username_key__contains=".").order_by("pk").values_list("pk", flat=True).first()
    name = f"CONCAT('merge', {last(User)}, 'x', n)"
    added = fill(User, reviews - shared, username=name, username_key=name, password="'!'")
    kept, gone = (Book.add(by=None, title=f"A Work {n}", authors=["Known Well"]).pk for n in (1, 2))
    # Long ago, so that they were nobody's last deed.
    said = {
        "created_at": "'2021-05-01'",
        "body": "REPEAT('It is long. ', 20)",
        "language": "'en'",
        "rating": "1 + MOD(n, 10)",
    }
    both = f"IF(n <= {shared}, {first} - 1 + n, {added} + n - {shared})"
    fill(Review, reviews, book=str(kept), author=both, **said)
    fill(Review, reviews, book=str(gone), author=f"{first} - 1 + n", **said)
    club = Club.objects.order_by("pk").values_list("pk", flat=True)[0]
    place = "(SELECT COUNT(*) FROM clubs_entry AS e WHERE e.club_id = {club}) + 1"
    for book, shift in ((kept, 0), (gone, lists // 2)):
        of = f"{club + shift} + n"
        before = fill(
            Entry, lists, club=of, book=str(book), added_by=None, status="'reading'", position=place.format(club=of)
        )
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO clubs_progress (entry_id, user_id, percent, unit, amount, total, hidden, updated_at)"
                " SELECT e.id, m.user_id, 50, 'percent', 50, 100, 0, '2021-05-01' FROM clubs_entry AS e"
                " JOIN clubs_membership AS m ON m.club_id = e.club_id WHERE e.id > %s AND m.status = 'active'",
                [before],
            )
    return kept, gone


def touched(books: tuple[int, int]) -> dict[Any, Any]:
    """The rows whose figures the merge moves."""
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


def settle(books: tuple[int, int]) -> None:
    """Set the figures right that were not written with the rows."""
    figures("books", "readers")
    rows = touched(books)
    members.settle(rows[Membership])
    statistics.settle(rows[Entry])
    for each in CHECKS:
        if each.model is Book:
            list(each.differences(rows[Book], repair=True))
    for total in TOTALS.values():
        total.differences(repair=True)


def check(books: tuple[int, int]) -> int:
    """Count the figures afresh; how many are wrong."""
    found, rows = 0, touched(books)
    for each in CHECKS:
        ids = rows.get(each.model, [])
        for start in range(0, len(ids), 1000):
            for difference in each.differences(ids[start : start + 1000], repair=False):
                found += 1
                if found < 10:
                    print(" ", difference)
    return found + sum(len(total.differences(repair=False)) for total in TOTALS.values())


def read_and_write(books: tuple[int, int], stop: Any, answers: Any) -> None:
    """Some readers at once, each act at random, until `stop` is set; what came of it goes into `answers`."""
    settings.ALLOWED_HOSTS = ["*"]
    settings.RATES = dict.fromkeys(settings.RATES)
    statuses: Counter[str] = Counter()
    slowest: defaultdict[str, list[float]] = defaultdict(list)

    def acting(number: int) -> None:
        chance = random.Random(number)
        marks = User.objects.filter(username_key__contains=".").order_by("pk")
        people = [*marks[number * 50 : number * 50 + 20], *marks.reverse()[number * 50 : number * 50 + 20]]
        clients = []
        for user in people:
            client = APIClient()
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.sign_in(user, device='').access}")
            clients.append((user, client))
        while not stop.is_set():
            user, client = chance.choice(clients)
            book, act = chance.choice(books), chance.choice(("write", "write", "change", "delete", "look", "list"))
            own = Review.objects.filter(author=user, book__in=books).values_list("pk", flat=True).first()
            address = f"/api/v1/reviews/{own}/"
            began = time.perf_counter()
            if act == "write":
                answer = client.post("/api/v1/reviews/", {"book": book, "rating": chance.randint(1, 5)}, format="json")
            elif act in ("change", "delete") and own is None:
                continue
            elif act == "change":
                answer = client.patch(address, {"rating": chance.randint(1, 5)}, format="json")
            elif act == "delete":
                answer = client.delete(address)
            else:
                answer = client.get(f"/api/v1/books/{book}/{'reviews/' if act == 'list' else ''}")
            slowest[act].append(time.perf_counter() - began)
            statuses[f"{act} {answer.status_code}"] += 1
            time.sleep(PAUSE)
        connection.close()

    threads = [threading.Thread(target=acting, args=[number]) for number in range(READERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers.put((dict(sorted(statuses.items())), {act: sorted(times) for act, times in slowest.items()}))


def run(name: str, begin: Any, books: tuple[int, int]) -> Merge:
    """Merge or undo while others are at both books, and print what that was like."""
    spawn = multiprocessing.get_context("spawn")
    stop, answers = spawn.Event(), spawn.Queue()
    readers = spawn.Process(target=read_and_write, args=[books, stop, answers])
    readers.start()
    time.sleep(5)  # until they are at it
    for part in moving.parts:
        part.steps.clear()  # type: ignore[attr-defined]
    began = time.perf_counter()
    merge = begin()
    asked = time.perf_counter() - began
    rounds = 1
    while not moving.run(merge, seconds=moving.JOB_SECONDS):
        rounds += 1
    took = time.perf_counter() - began
    stop.set()
    statuses, slowest = answers.get()
    readers.join()
    print(f"{name}: {took:.1f} s in all, of which the page takes {asked:.1f} s; {rounds} jobs, each two seconds")
    for part in moving.parts:
        steps = sorted(part.steps)  # type: ignore[attr-defined]
        if steps:
            middle = steps[len(steps) // 2]
            print(f"  {part.name}: {len(steps):,} transactions, {middle * 1000:.0f} ms, longest {steps[-1] * 1000:.0f}")  # type: ignore[attr-defined]
    print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")
    print(f"  readers: {statuses}")
    for act, times in slowest.items():
        print(f"    {act}: {times[len(times) // 2] * 1000:.0f} ms, slowest {times[-1] * 1000:.0f}")
    wrong = check(books)
    print(f"  {wrong} figures wrong")
    if wrong or any(" 5" in status for status in statuses):
        sys.exit(1)
    return merge


def main() -> None:
    """Build, merge, undo."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--reviews", type=int, default=100_000)
    options.add_argument("--shared", type=int, default=10_000)
    options.add_argument("--lists", type=int, default=2_000)
    chosen = options.parse_args()
    books = build(chosen.reviews, chosen.shared, chosen.lists)
    settle(books)
    print(f"marks: {Progress.objects.filter(entry__book__in=books).count():,}", flush=True)
    moving.parts[:] = [Timed(part) for part in moving.parts]  # type: ignore[misc]
    kept, gone = (Book.objects.get(pk=pk) for pk in books)
    by = User.objects.filter(username="benchmark").first() or User.objects.create_superuser("benchmark", None)
    merge = run("merge", lambda: services.merge_books(kept=kept, gone=gone, by=by, reason="The same work"), books)
    # Counted among the readers' books from here on: what they have written to the kept one stays there.

    def undo() -> Merge:
        services.undo_merge(merge, by=by, reason="Two works")
        return merge

    run("undoing", undo, books)


if __name__ == "__main__":
    main()
