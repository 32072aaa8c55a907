"""Write a batch of rows. The outcome of each row is created, known or rejected; an existing book is not changed.

A work is identified by its origin. If another book already has its ISBN, the two are the same book if they share an
author or the title without the series; the new origin then becomes an alternate one of that book. If not, the ISBN is a
mistake, and the work is created without it.

An edition is added to the book of its work. If another book already has the ISBN and the same rule makes them one book,
the book of the work is merged into that one with all of its editions, so that a dump of Open Library does not duplicate
books from other sources. Only unused books that an import created are merged; otherwise the edition is rejected.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import CharField, OuterRef, Subquery, Value
from django.db.models.fields.reverse_related import ForeignObjectRel
from django.db.models.functions import Coalesce, NullIf
from django.utils import timezone

from catalog.duplicate_keys import edition_key, work_key
from catalog.identity import WorkTitle, same_work
from catalog.imports.records import AuthorRecord, EditionRecord, SourceRecord, WorkRecord
from catalog.models import (
    EDITION_FIELDS,
    AlternateOrigin,
    Book,
    BookAuthor,
    BookSubject,
    Edition,
    ImportedAuthor,
    join_authors,
    title_sort_key,
)
from catalog.versions import ANY_BOOK_VERSION, CATALOG_VERSION
from core.counters import counters
from core.counters.versions import bump_versions
from core.search.fields import build_search_text

# Rows of these models belong to their book. A row of any other model that refers to a book means that it is in use.
OWNED_MODELS = (BookAuthor, BookSubject, Edition, AlternateOrigin)


@dataclass(slots=True)
class ImportRow:
    """A line of the file, its record and its outcome."""

    line: int
    text: bytes
    record: SourceRecord | None = None
    outcome: str = ""
    reason: str = ""

    def reject(self, reason: str) -> None:
        """Mark the row as rejected."""
        self.outcome, self.reason = "rejected", reason


@dataclass(slots=True)
class _Work:
    """A new or existing book with the names of its authors."""

    book: Book
    authors: list[str]


def write_rows(rows: Sequence[ImportRow], counts: Counter[str]) -> None:
    """Write the records inside the current transaction and set the outcome of each row.

    Adds `isbn_elsewhere` and `merged` to `counts`.
    """
    _write_authors([(row, row.record) for row in rows if isinstance(row.record, AuthorRecord)])
    _write_works([(row, row.record) for row in rows if isinstance(row.record, WorkRecord)], counts)
    _write_editions([(row, row.record) for row in rows if isinstance(row.record, EditionRecord)], counts)
    bump_versions(CATALOG_VERSION, ANY_BOOK_VERSION)


def _write_authors(rows: Sequence[tuple[ImportRow, AuthorRecord]]) -> None:
    known = set(ImportedAuthor.objects.filter(key__in=[r.key for _, r in rows]).values_list("key", flat=True))
    new = {}
    for row, record in rows:
        row.outcome = "known" if record.key in known or record.key in new else "created"
        if row.outcome == "created":
            new[record.key] = ImportedAuthor(key=record.key, name=record.name)
    ImportedAuthor.objects.bulk_create(new.values())


def _write_works(rows: Sequence[tuple[ImportRow, WorkRecord]], counts: Counter[str]) -> None:
    known = set(_book_ids_by_origin([record.origin for _, record in rows]))
    new_records = [record for _, record in rows if record.origin not in known]
    author_names = _author_names(key for record in new_records for key in record.author_keys)
    works_by_isbn = _books_by_isbn([record.isbn13 for record in new_records if record.isbn13])
    new: list[tuple[_Work, WorkRecord]] = []
    alternate_origins: list[tuple[str, Book]] = []
    for row, record in rows:
        if record.origin in known:
            row.outcome = "known"
            continue
        authors = record.authors or list(
            dict.fromkeys(author_names[key] for key in record.author_keys if key in author_names)
        )
        if record.author_keys and not authors:
            row.reject(f"the author {record.author_keys[0]} is unknown: import authors before works")
            continue
        known.add(record.origin)
        work = _Work(_build_book(record, authors), authors)
        existing = works_by_isbn.get(record.isbn13)
        if existing and same_work(work.book.title, authors, existing.book.title, existing.authors):
            row.outcome = "known"
            alternate_origins.append((record.origin, existing.book))
            continue
        if existing:
            counts["isbn_elsewhere"] += 1
        elif record.isbn13:
            work.book.isbn13 = record.isbn13
            works_by_isbn[record.isbn13] = work
        row.outcome = "created"
        new.append((work, record))
    _insert(new)
    AlternateOrigin.objects.bulk_create(AlternateOrigin(origin=origin, book=book) for origin, book in alternate_origins)


def _build_book(record: WorkRecord, authors: Sequence[str]) -> Book:
    return Book(
        work_key=work_key(record.title, authors),
        origin=record.origin,
        title=record.title,
        title_key=title_sort_key(record.title, record.language),
        match_key=WorkTitle.parse(record.title).key,
        author=join_authors(authors),
        search_text=build_search_text([record.title, *authors]),
        published_year=record.published_year,
        language=record.language,
        description=record.description,
        cover_url=record.cover_url,
    )


def _insert(works: Sequence[tuple[_Work, WorkRecord]]) -> None:
    books = [work.book for work, _ in works]
    for book in books:
        book.edition_key = edition_key(book.title, book.isbn13)
    Book.objects.bulk_create(books)
    if not connection.features.can_return_rows_from_bulk_insert:
        keys = _book_ids_by_origin([book.origin for book in books if book.origin])
        for book in books:
            book.pk = keys[book.origin or ""]
    Edition.objects.bulk_create(
        Edition(book=book, isbn13=book.isbn13, **{name: getattr(book, name) for name in EDITION_FIELDS})
        for book in books
        if book.isbn13
    )
    BookAuthor.objects.bulk_create(name for work, _ in works for name in BookAuthor.build(work.book, work.authors))
    BookSubject.objects.bulk_create(
        name for work, record in works for name in BookSubject.build(work.book, record.subjects)
    )
    counters.increment({"books": len(books)})


def _write_editions(rows: Sequence[tuple[ImportRow, EditionRecord]], counts: Counter[str]) -> None:
    books = _book_ids_by_origin([record.work for _, record in rows])
    book_by_isbn = dict(
        Edition.objects.filter(isbn13__in=[record.isbn13 for _, record in rows]).values_list("isbn13", "book_id")
    )
    new: list[Edition] = []
    for row, record in rows:
        book = books.get(record.work)
        existing = book_by_isbn.get(record.isbn13)
        if book is None:
            row.reject(f"the work {record.work.partition(':')[2]} is unknown: import works before editions")
        elif existing is None:
            row.outcome = "created"
            book_by_isbn[record.isbn13] = book
            new.append(_build_edition(record, book))
        elif existing == book:
            row.outcome = "known"
        elif _merge_into_existing(book, existing, pending=new):
            row.outcome = "known"
            counts["merged"] += 1
            for mapping in (books, book_by_isbn):
                mapping.update({key: existing for key, value in mapping.items() if value == book})
        else:
            row.reject(f"the ISBN {record.isbn13} belongs to another book (id {existing})")
            counts["isbn_elsewhere"] += 1
    Edition.objects.bulk_create(new)
    _assign_main_editions({edition.book_id for edition in new})


def _build_edition(record: EditionRecord, book_id: int) -> Edition:
    return Edition(
        book_id=book_id,
        isbn13=record.isbn13,
        format=record.format,
        publisher=record.publisher,
        language=record.language,
        page_count=record.page_count,
        published_year=record.published_year,
    )


def _assign_main_editions(book_ids: Collection[int]) -> None:
    """Make the first edition of each book without a main edition its main one, and copy its fields to the book."""
    first = Edition.objects.filter(book=OuterRef("pk")).order_by("pk")

    def first_value(name: str) -> Subquery:
        return Subquery(first.values(name)[:1])

    Book.objects.filter(pk__in=book_ids, isbn13=None).update(
        isbn13=first_value("isbn13"),
        language=Coalesce(NullIf("language", Value("")), first_value("language"), output_field=CharField()),
        page_count=Coalesce("page_count", first_value("page_count")),
        published_year=Coalesce("published_year", first_value("published_year")),
        updated_at=timezone.now(),
    )
    without_key = list(
        Book.objects.filter(pk__in=book_ids, edition_key=None, isbn13__isnull=False).only("title", "isbn13")
    )
    for book in without_key:
        book.edition_key = edition_key(book.title, book.isbn13)
    Book.objects.bulk_update(without_key, ["edition_key"])


def _merge_into_existing(pk: int, existing_pk: int, *, pending: Iterable[Edition]) -> bool:
    """Merge book `pk` into `existing_pk` if they are the same work and the first is unused. Return whether it was done.

    `pending` are unsaved editions, which are merged as well.
    """
    rows = (
        Book.objects.select_for_update().filter(pk__in=[pk, existing_pk]).order_by("pk").prefetch_related("author_rows")
    )
    books = {book.pk: book for book in rows}
    book, other = books[pk], books[existing_pk]
    if book.added_by_id or not same_work(book.title, book.authors, other.title, other.authors) or _in_use(book):
        return False
    Edition.objects.filter(book=book).update(book=other)
    for edition in pending:
        if edition.book_id == pk:
            edition.book_id = existing_pk
    AlternateOrigin.objects.filter(book=book).update(book=other)
    AlternateOrigin.objects.create(origin=book.origin or f"book:{pk}", book=other)
    book.delete()
    counters.increment({"books": -1})
    return True


def _in_use(book: Book) -> bool:
    """Return whether a row of any app refers to the book, apart from the rows it owns."""
    relations = (field for field in Book._meta.get_fields(include_hidden=True) if isinstance(field, ForeignObjectRel))
    return any(
        relation.related_model._base_manager.filter(**{relation.field.name: book}).exists()
        for relation in relations
        if not relation.many_to_many and relation.related_model not in OWNED_MODELS
    )


def _book_ids_by_origin(origins: Collection[str]) -> dict[str, int]:
    """Return the ids of the books with these origins, alternate ones included; merge targets for merged books."""
    first = Book.objects.filter(origin__in=origins).values_list("origin", "pk", "merged_into")
    other = AlternateOrigin.objects.filter(origin__in=origins).values_list("origin", "book_id", "book__merged_into")
    targets = {origin: (pk, into) for origin, pk, into in [*first, *other] if origin is not None}
    return {origin: pk if into is None else Book.objects.resolve_id(into) for origin, (pk, into) in targets.items()}


def _author_names(keys: Iterable[str]) -> dict[str, str]:
    return dict(ImportedAuthor.objects.filter(key__in=set(keys)).values_list("key", "name"))


def _books_by_isbn(isbns: Collection[str]) -> dict[str, _Work]:
    """Return the books that already have these ISBNs."""
    rows = Edition.objects.filter(isbn13__in=isbns).select_related("book").prefetch_related("book__author_rows")
    return {row.isbn13: _Work(row.book, row.book.authors) for row in rows}
