"""Rules about many books: who sees which, and how they are found."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from bookbridge.api.search import query_terms
from catalog.covers import of_revision
from catalog.editions import Edition
from catalog.names import BookAuthor, BookSubject, key_of
from catalog.revisions import Revision

if TYPE_CHECKING:
    from accounts.models import User
    from catalog.models import Book  # noqa: F401  # the name in the class's base


class BookQuerySet(models.QuerySet["Book"]):
    """Rules about many books."""

    def visible_to(self, user: User | AnonymousUser) -> BookQuerySet:
        """What `user` may know of: the whole catalogue is public, but for books that are part of others by now."""
        return self.standing()

    def standing(self) -> BookQuerySet:
        """Without those that are part of others by now."""
        return self.filter(merged_into=None)

    def survivor(self, pk: int) -> int:
        """The id of what a book is part of by now, itself where it stands (or never was)."""
        while (into := self.filter(pk=pk).values_list("merged_into", flat=True).first()) is not None:
            pk = into
        return pk

    def hold(self, pk: int) -> int | None:
        """Lock a book, or what it is part of by now, until the transaction ends; its id, None where there is none.

        Whoever writes what refers to a book calls this, so that nothing new refers to one that is being merged.
        """
        while row := self.select_for_update().filter(pk=pk).values_list("merged_into").first():
            if row[0] is None:
                return pk
            pk = row[0]
        return None

    def covers(self, books: Collection[int], names: Collection[str]) -> set[str]:
        """Those of `names` that a book shows, or could show again if a change of one of `books` were undone."""
        used = set(self.filter(pk__in=books).values_list("cover_url", flat=True))
        for revision in Revision.objects.filter(book__in=books):
            used |= of_revision(revision)
        lost = set(names) - used
        # A book that was merged into another has left it its cover. No index: few are ever lost.
        return used | set(self.filter(cover_url__in=lost).values_list("cover_url", flat=True) if lost else ())

    def search(self, text: str) -> BookQuerySet:
        """Books in whose title or authors each word of `text` begins a word, in any order, without case or accents.

        Ten words count. A text without any letter or digit finds nothing.
        """
        wanted = query_terms(text)
        return self.filter(search_text__words=wanted) if wanted else self.none()

    def by_author(self, name: str) -> BookQuerySet:
        """Books of an author, whose whole name is given, without case or accents."""
        return self.filter(pk__in=BookAuthor.objects.filter(key=key_of(name)).values("book"))

    def by_subject(self, name: str) -> BookQuerySet:
        """Books on a subject, whose whole name is given, without case or accents."""
        return self.filter(pk__in=BookSubject.objects.filter(key=key_of(name)).values("book"))

    def with_isbn(self, isbn13: str) -> BookQuerySet:
        """The book that has an edition with this ISBN-13 in normal form, if there is one."""
        return self.filter(pk__in=Edition.objects.filter(isbn13=isbn13).values("book"))

    def in_language(self, tag: str) -> BookQuerySet:
        """Books in a language: `pt` also finds `pt-br`."""
        # "." is the character after "-", so this is one range of the index.
        return self.filter(Q(language=tag) | Q(language__gte=f"{tag}-", language__lt=f"{tag}."))

    def for_list(self) -> BookQuerySet:
        """With what a row of a list shows, in three queries however many rows there are."""
        return self.defer("description", "search_text").prefetch_related("author_rows", "subject_rows")

    def for_detail(self) -> BookQuerySet:
        """With all that one book shows, in four queries."""
        return self.defer("search_text").prefetch_related("author_rows", "subject_rows", "editions")
