"""Matching of rows with books of the catalog."""

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from django.db.models import Q

from accounts.models import User
from catalog.imports import records
from catalog.models import Book, BookAuthor, BookQuerySet, sort_key
from core.api.exceptions import Conflict
from core.search.normalize import split_words
from reviews.imports.rows import ReviewRow

# How many books with the same title are compared by a normalized author name.
MAX_CANDIDATES = 50


def find_book(row: ReviewRow) -> Book | None:
    """Return the book by ISBN, else by title and one of the authors, or None.

    Case, accents and a series in parentheses are ignored.
    """
    if row.isbn13 and (book := Book.objects.with_isbn(row.isbn13).first()):
        return book
    title_key = sort_key(without_series(row.title))
    # "(" sorts before ")", so titles with a series after the same title form one index range.
    same_title = Book.objects.not_merged().filter(
        Q(title_key=title_key) | Q(title_key__gte=f"{title_key} (", title_key__lt=f"{title_key} )")
    )
    keys = [sort_key(name) for name in row.authors]
    same_author = same_title.filter(pk__in=BookAuthor.objects.filter(key__in=keys).values("book"))
    for books in (same_author, same_title):
        if book := _first(books, title_key, row.authors):
            return book
    return None


def add_book(row: ReviewRow, *, by: User) -> Book:
    """Add the book to the catalog, or return the one that a concurrent request has added."""
    ignored: list[str] = []
    year, edition = records.year(row.published_year, ignored), _edition(row.edition)
    try:
        return Book.create_book(
            by=by,
            title=row.title,
            authors=row.authors,
            isbn13=row.isbn13 or None,
            edition=edition,
            published_year=year,
            page_count=edition["page_count"],
        )
    except Conflict as conflict:
        return Book.objects.get(pk=conflict.extra["book"])


def without_series(title: str) -> str:
    """Return the title without a trailing series: `Red Rising (Red Rising Saga, #1)` gives `Red Rising`."""
    return re.sub(r"\s*\([^()]*#[^()]*\)\s*$", "", title) or title


def _first(books: BookQuerySet, title_key: str, authors: list[str]) -> Book | None:
    """Return the most rated book with this title and one of the authors."""
    author_keys = _author_keys(authors)
    for book in (
        books.order_by("-ratings_count", "id").prefetch_related("author_rows").defer("description")[:MAX_CANDIDATES]
    ):
        if sort_key(without_series(book.title)) == title_key and author_keys & _author_keys(book.authors):
            return book
    return None


def _author_keys(names: Iterable[str]) -> set[str]:
    """Normalize names to their letters, so that `J.K. Rowling` equals `J. K. Rowling`."""
    return {"".join(split_words(name)) or name for name in names}


def _edition(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the valid fields of the edition."""
    ignored: list[str] = []
    with suppress(KeyError):
        fields = {**fields, "format": fields["format"][:50]}
    return {
        "format": records.optional(fields.get("format", ""), "format", ignored, max_length=50),
        "publisher": records.optional(fields.get("publisher", ""), "publisher", ignored),
        "page_count": records.pages(fields.get("page_count"), ignored),
        "published_year": records.year(fields.get("published_year"), ignored),
    }
