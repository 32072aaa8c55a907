"""Concurrent imports and writes: no duplicates, nothing lost, counters right."""

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from catalog.models import Book
from core.tasks.models import QueuedTask
from core.tasks.worker import run_pending
from reviews import tasks
from reviews.imports import services
from reviews.imports.services import start_import
from reviews.models import Review, ReviewImport
from tests.concurrency.tools import at_once
from tests.reviews.exports import book, goodreads, storygraph
from tests.reviews.helpers import counter_differences

pytestmark = pytest.mark.django_db(transaction=True)


def start(user: User, data: bytes, source: str = "goodreads") -> ReviewImport:
    return start_import(by=user, source=source, visibility="public", data=data)


@pytest.mark.parametrize("known_isbns", [True, False])
def test_simultaneous_imports_of_the_same_new_books(
    make_user: Callable[..., User], monkeypatch: pytest.MonkeyPatch, known_isbns: bool
):
    isbns = [f"978{n:09d}" for n in range(30)]
    numbers = [isbn + str(-sum(int(d) * (1, 3)[i % 2] for i, d in enumerate(isbn)) % 10) for isbn in isbns]
    rows = [book(n, ISBN13=f'="{number}"') if known_isbns else book(n) for n, number in enumerate(numbers)]
    monkeypatch.setattr(tasks, "MAX_SECONDS_PER_RUN", 0.2)
    for user in [make_user(f"reader{n}") for n in range(4)]:
        if known_isbns:
            random.shuffle(rows)
        start(user, goodreads(*rows))
    at_once([run_pending] * 4)
    while QueuedTask.objects.filter(status="READY").update(run_after=timezone.now()):
        run_pending()
    assert set(ReviewImport.objects.values_list("status", "created", "failed")) == {("done", 30, 0)}
    assert Book.objects.count() == 30
    assert Review.objects.count() == 120
    assert counter_differences() == (0, [])


def test_import_with_four_workers_creates_no_duplicates(alice: User, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tasks, "MAX_SECONDS_PER_RUN", 0.05)
    work = start(alice, goodreads(*(book(n) for n in range(60))))

    at_once([partial(tasks.process_import.call, id=work.pk)] * 4)
    work.refresh_from_db()
    assert (work.status, work.rows_processed, work.created, work.failed) == ("done", 60, 60, 0)
    assert Review.objects.count() == Book.objects.count() == 60
    assert counter_differences() == (0, [])


def test_two_imports_during_own_reviews(alice: User, client_of: Callable[..., APIClient]):
    books = [Book.create_book(by=None, title=f"Book {n}", authors=[f"Author {n % 7}"]) for n in range(30)]
    theirs = [{"Title": f"Book {n}", "Authors": f"Author {n % 7}", "ISBN/UID": ""} for n in range(30)]
    start(alice, goodreads(*(book(n) for n in range(30))))
    start(alice, storygraph(*theirs), "storygraph")
    client = client_of(alice)

    def write() -> list[Any]:
        chosen = random.sample(books, 20)
        return [client.post("/api/v1/reviews/", {"book": b.pk, "rating": 1}).status_code for b in chosen]

    statuses, *_counts = at_once([write, run_pending, run_pending])
    while QueuedTask.objects.filter(status="READY").update(run_after=timezone.now()):
        run_pending()
    assert set(statuses) <= {201, 409}
    assert set(ReviewImport.objects.values_list("status", "failed")) == {("done", 0)}
    assert Review.objects.count() == Book.objects.count() == 30
    assert counter_differences() == (0, [])


def test_limit_of_three_imports_holds(alice: User, client_of: Callable[..., APIClient]):
    def one() -> str:
        try:
            start(alice, goodreads({}))
        except services.Conflict as refused:
            return refused.code
        return "started"

    assert sorted(at_once([one] * 8)) == ["started"] * 3 + ["too_many_imports"] * 5
    assert ReviewImport.objects.count() == QueuedTask.objects.count() == 3


def test_import_during_account_deletion(alice: User, client_of: Callable[..., APIClient]):
    start(alice, goodreads(*(book(n) for n in range(200))))
    client = client_of(alice)

    def close() -> int:
        return client.delete("/api/v1/users/me/", {"password": "correct horse battery"}).status_code

    status, _counts = at_once([close, run_pending])
    while QueuedTask.objects.filter(status="READY").update(run_after=timezone.now()):
        run_pending()
    assert status == 204
    assert not ReviewImport.objects.exists()
    assert set(QueuedTask.objects.values_list("status", "error")) == {("SUCCESSFUL", "")}
    assert not Review.objects.exclude(author=None).exists()
    assert counter_differences() == (0, [])
