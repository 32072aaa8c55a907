"""Queries for books: visibility, search and filters."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import OuterRef

from catalog.covers import revision_covers
from catalog.identity import WorkTitle, author_key, only_match
from catalog.isbn import find_isbn
from catalog.local_titles import local_title_subquery
from catalog.models.editions import EDITION_COLUMNS, Edition
from catalog.models.names import BookAuthor, BookSubject
from catalog.models.revisions import Revision
from core.db.json_rows import json_rows
from core.languages import language_condition
from core.search.fields import query_terms

if TYPE_CHECKING:
    from accounts.models import User
    from catalog.models import Book

# `find_work` compares at most this many books that have the same author and title key.
MAX_CANDIDATES = 1000


class BookQuerySet(models.QuerySet["Book"]):
    """Queries for books."""

    def visible_to(self, user: User | AnonymousUser) -> BookQuerySet:
        """Return the books that `user` may see. The catalog is public, so these are all books that are not merged."""
        return self.not_merged()

    def not_merged(self) -> BookQuerySet:
        """Return the books that are not merged into another one."""
        return self.filter(merged_into=None)

    def resolve_id(self, pk: int) -> int:
        """Return the id of the book that `pk` was merged into, or `pk` itself."""
        while (target_id := self.filter(pk=pk).values_list("merged_into", flat=True).first()) is not None:
            pk = target_id
        return pk

    def merge_target(self, pk: int) -> Book:
        """Return the book that `pk` was merged into, or the book itself."""
        return self.get(pk=self.resolve_id(pk))

    def lock(self, pk: int) -> Book | None:
        """Lock the book, or the one it was merged into, and load its summary. Return None if it does not exist.

        Every write of a row that refers to a book calls this, so that no new row refers to a book that is being merged.
        """
        rows = self.select_for_update().only("title", "author", "cover_url", "merged_into")
        while book := rows.filter(pk=pk).first():
            if book.merged_into is None:
                return book
            pk = book.merged_into
        return None

    def used_covers(self, book_ids: Collection[int], names: Collection[str]) -> set[str]:
        """Return the covers that these books or their revisions use, and those of `names` that any other book uses."""
        used = set(self.filter(pk__in=book_ids).values_list("cover_url", flat=True))
        for revision in Revision.objects.filter(book__in=book_ids):
            used |= revision_covers(revision)
        unused = set(names) - used
        # The target of a merge may use a cover of the merged book. `cover_url` has no index, but `unused` is small.
        return used | set(self.filter(cover_url__in=unused).values_list("cover_url", flat=True) if unused else ())

    def search(self, text: str) -> BookQuerySet:
        """Return the books whose title or authors contain words that begin with each word of `text`.

        Ignores case, accents and order. Only the first ten words count; text without a letter or digit finds nothing.
        An ISBN finds its book if that also contains the other words. If no book has it, its digits count as words.
        """
        found = find_isbn(text)
        if found and (pk := Edition.objects.filter(isbn13=found[0]).values_list("book", flat=True).first()):
            terms = query_terms(found[1])
            return self.filter(pk=pk, search_text__words=terms) if terms else self.filter(pk=pk)
        terms = query_terms(text)
        return self.filter(search_text__words=terms) if terms else self.none()

    def by_author(self, name: str) -> BookQuerySet:
        """Return the books by an author with this full name, ignoring case and accents."""
        return self.filter(pk__in=BookAuthor.objects.filter(key=BookAuthor.make_key(name)).values("book"))

    def by_subject(self, name: str) -> BookQuerySet:
        """Return the books on this subject, ignoring case and accents."""
        return self.filter(pk__in=BookSubject.objects.filter(key=BookSubject.make_key(name)).values("book"))

    def with_isbn(self, isbn13: str) -> BookQuerySet:
        """Return the book that has an edition with this normalized ISBN-13."""
        return self.filter(pk__in=Edition.objects.filter(isbn13=isbn13).values("book"))

    def find_work(self, title: str, authors: Sequence[str]) -> Book | None:
        """Return the book that is the same work (see `catalog.identity`), or None if there is none or it is ambiguous.

        The first author on each side must be among the authors on the other side, because an author named later may be
        the one whose work was adapted or translated. Books by the same authors are preferred, then books with
        the same first author, then books with more ratings. Merged books count as the book they were merged into.
        """
        wanted, keys = WorkTitle.parse(title), list(map(author_key, authors))
        same_key = self.filter(match_key=wanted.key, author_rows__key=keys[0])
        titles = same_key.order_by("id").values_list("pk", "title")[:MAX_CANDIDATES]
        matching = {pk for pk, other in titles if wanted.matches(WorkTitle.parse(other))}
        if not matching:
            return None
        books: list[Any] = list(
            same_key.filter(pk__in=matching)
            .annotate(author_position=models.F("author_rows__position"))
            .order_by("merged_into", "author_position", "-ratings_count", "id")
            .defer("description", "search_text")
            .prefetch_related("author_rows")
        )
        book_keys = {book.pk: [row.key for row in book.author_rows.all()] for book in books}
        books = [book for book in books if book_keys[book.pk][0] in keys]
        same_authors = [book for book in books if set(book_keys[book.pk]) == set(keys)]
        same_first_author = [book for book in books if book_keys[book.pk][0] == keys[0]]
        targets = self._merge_targets(books)
        for group in (same_authors, same_first_author, books):
            same_target = len({targets[book.pk] for book in group}) == 1
            index = 0 if same_target else only_match(wanted, [WorkTitle.parse(book.title) for book in group])
            if index is not None:
                book = group[index]
                return book if book.merged_into is None else self.get(pk=targets[book.pk])
        return None

    def _merge_targets(self, books: Sequence[Book]) -> dict[int, int]:
        """Map the id of each book to the id of the book it was merged into, or to itself."""
        targets = {book.pk: book.merged_into or book.pk for book in books}
        pending = {book.merged_into for book in books if book.merged_into is not None}
        while pending:
            merged = self.filter(pk__in=pending, merged_into__isnull=False).values_list("pk", "merged_into")
            next_targets = {pk: into for pk, into in merged if into is not None}
            targets = {pk: next_targets.get(target, target) for pk, target in targets.items()}
            pending = set(next_targets.values())
        return targets

    def in_language(self, tag: str) -> BookQuerySet:
        """Return the books in a language; `pt` includes `pt-br`."""
        return self.filter(language_condition(tag))

    def for_list(self, *language: str) -> BookQuerySet:
        """Load what the list shows, in one query. `language` comes from `catalog.local_titles.language_arguments`."""
        return self._with_names().annotate(loaded_local_title=local_title_subquery(Edition, *language))

    def for_detail(self) -> BookQuerySet:
        """Load what the detail view shows, in one query."""
        editions = Edition.objects.filter(book=OuterRef("pk"))
        return (
            self._with_names()
            .annotate(loaded_editions=json_rows(editions, "book", *EDITION_COLUMNS))
            .defer(None)
            .defer("search_text")
        )

    def _with_names(self) -> BookQuerySet:
        return self.defer("description", "search_text").annotate(**_loaded_names())


@cache
def _loaded_names() -> dict[str, Any]:
    return {
        "loaded_authors": json_rows(BookAuthor.objects.filter(book=OuterRef("pk")), "book", "position", "name"),
        "loaded_subjects": json_rows(BookSubject.objects.filter(book=OuterRef("pk")), "book", "position", "name"),
    }
