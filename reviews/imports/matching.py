"""Matching of rows with books of the catalog."""

from typing import Any

from accounts.models import User
from catalog.identity import WorkTitle, author_key, same_work
from catalog.imports import records
from catalog.models import Book, DuplicateISBN
from core.counters import counters
from core.search.normalize import split_words
from reviews.imports.rows import ReviewRow

# A counter that is always 0; its row is locked while a book is added.
_ADDITIONS_LOCK = "imports:additions"


def find_book(row: ReviewRow) -> Book | None:
    """Return the book by ISBN, else by title and authors, or None."""
    if row.isbn13 and (book := Book.objects.with_isbn(row.isbn13).first()):
        return book
    return Book.objects.find_work(row.title, row.authors)


def lock_book(row: ReviewRow) -> Book | None:
    """Find the book and lock it, or the one that it has been merged into meanwhile."""
    while book := find_book(row):
        if locked := Book.objects.lock(book.pk):
            return book if locked == book else Book.objects.get(pk=locked.pk)
    return None


def lock_known_book(pk: int | None) -> Book | None:
    """Lock the book with this id, or the one that it has been merged into; None if it does not exist."""
    locked = Book.objects.lock(pk) if pk else None
    return locked and Book.objects.get(pk=locked.pk)


def get_or_add_book(row: ReviewRow, *, by: User, known_id: int | None = None) -> tuple[Book, bool]:
    """Lock the book or add it to the catalog, and return it and whether it was added.

    `known_id` is the book that an earlier import has found for a row with the same key. It may have got another title
    since then, but the key may also stand for another book now: the number of a line, or a title without accents.
    Imports add books one at a time, because no constraint stops two of them from adding the same work without an ISBN.
    """
    known = Book.objects.filter(pk=known_id).first() if known_id else None
    by_author = known is not None and _has_first_author(known, row)
    book = lock_known_book(known_id) if known and by_author and _has_same_title(known, row) else lock_book(row)
    if book is None and known and by_author and _has_other_words(known, row):
        book = lock_known_book(known_id)
    if book is None:
        counters.add({_ADDITIONS_LOCK: 0})
        book = lock_book(row)
    return (book, False) if book else (add_book(row, by=by), True)


def _has_first_author(book: Book, row: ReviewRow) -> bool:
    authors = book.author_rows.values_list("name", flat=True)
    return author_key(row.authors[0]) in map(author_key, authors)


def _has_same_title(book: Book, row: ReviewRow) -> bool:
    return WorkTitle.parse(book.title).matches(WorkTitle.parse(row.title))


def _has_other_words(book: Book, row: ReviewRow) -> bool:
    """Return whether the titles differ by more than accents and signs, as after a change of the book's title."""
    return bool(split_words(row.title)) and WorkTitle.parse(book.title).words != WorkTitle.parse(row.title).words


def has_other_title(row: ReviewRow, book: Book) -> bool:
    """Return whether only the ISBN says that the row is about the book, and neither the title nor an author."""
    return (
        bool(row.isbn13)
        and not same_work(row.title, row.authors, book.title, book.author_rows.values_list("name", flat=True))
        and book.editions.filter(isbn13=row.isbn13).exists()
    )


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
    except DuplicateISBN as conflict:
        return conflict.book


def _edition(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the valid fields of the edition."""
    ignored: list[str] = []
    return {
        "format": records.optional(fields.get("format", "")[:50], "format", ignored, max_length=50),
        "publisher": records.optional(fields.get("publisher", ""), "publisher", ignored),
        "page_count": records.pages(fields.get("page_count"), ignored),
        "published_year": records.year(fields.get("published_year"), ignored),
    }
