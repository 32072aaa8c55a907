"""The groups of books that have a key of `catalog.duplicates` in common, page by page."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db import models
from django.db.models import Count, Sum
from django.db.models.functions import Cast

from catalog.models import Book

GROUPS_PER_PAGE, MOST_SHOWN = 20, 20
WAYS = ("work_key", "print_key")


def groups(way: str, *, after: str = "") -> tuple[list[tuple[str, list[Book]]], str]:
    """The next groups of books with one key, those whose every pair staff have told apart left out; where to go on.

    `way` is one of WAYS. Each group has twenty books at most, the best known first.
    """
    keyed = Book.objects.filter(**{f"{way}__gt": after}).order_by(way).values(way)
    apart = Sum(Cast("told_apart", models.IntegerField()))
    found = keyed.annotate(n=Count("pk"), apart=apart).filter(n__gt=1, apart__lt=models.F("n"))
    keys = [row[way] for row in found[: GROUPS_PER_PAGE + 1]]
    shown = keys[:GROUPS_PER_PAGE]
    books: defaultdict[str, list[Any]] = defaultdict(list)
    rows = Book.objects.filter(**{f"{way}__in": shown}).defer("search_text", "description")
    for book in rows.order_by(way, "-ratings_count", "pk"):
        if len(books[getattr(book, way)]) < MOST_SHOWN:
            books[getattr(book, way)].append(book)
    return [(key, books[key]) for key in shown], shown[-1] if len(keys) > GROUPS_PER_PAGE else ""
