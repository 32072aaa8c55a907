"""Groups of books that share a duplicate key, page by page."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db import models
from django.db.models import Count, Sum
from django.db.models.functions import Cast

from catalog.models import Book

GROUPS_PER_PAGE, MAX_BOOKS_PER_GROUP = 20, 20
KEY_FIELDS = ("work_key", "edition_key")


def duplicate_groups(key_field: str, *, after: str = "") -> tuple[list[tuple[str, list[Book]]], str]:
    """Return the next groups of books that share a key, and the key after which the next page starts.

    Groups in which every book is confirmed distinct are left out. `key_field` is one of KEY_FIELDS. A group has at most
    MAX_BOOKS_PER_GROUP books, the most rated first.
    """
    keyed = Book.objects.filter(**{f"{key_field}__gt": after}).order_by(key_field).values(key_field)
    distinct_count = Sum(Cast("confirmed_distinct", models.IntegerField()))
    groups = keyed.annotate(n=Count("pk"), distinct_count=distinct_count).filter(
        n__gt=1, distinct_count__lt=models.F("n")
    )
    keys = [row[key_field] for row in groups[: GROUPS_PER_PAGE + 1]]
    page_keys = keys[:GROUPS_PER_PAGE]
    books: defaultdict[str, list[Any]] = defaultdict(list)
    rows = Book.objects.filter(**{f"{key_field}__in": page_keys}).defer("search_text", "description")
    for book in rows.order_by(key_field, "-ratings_count", "pk"):
        if len(books[getattr(book, key_field)]) < MAX_BOOKS_PER_GROUP:
            books[getattr(book, key_field)].append(book)
    return [(key, books[key]) for key in page_keys], page_keys[-1] if len(keys) > GROUPS_PER_PAGE else ""
