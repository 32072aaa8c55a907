"""What books, authors and subjects are called, and the key that each name is compared and sorted by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.db import models

from bookbridge.api.fields import KeyField
from bookbridge.api.text import fold

if TYPE_CHECKING:
    from catalog.models import Book

KEY_LENGTH = 191


def key_of(text: str) -> str:
    """The form in which names and titles are compared and sorted."""
    return fold(text)[:KEY_LENGTH].rstrip()


def author_line(names: Sequence[str]) -> str:
    """Names on one line of at most 500 characters; those that do not fit are an ellipsis."""
    line = ", ".join(names)
    return line if len(line) <= 500 else line[:499].rstrip(" ,") + "…"


class _Name(models.Model):
    """One of a book's names for something, in order, with the key that finds it."""

    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=200)
    key = KeyField(max_length=KEY_LENGTH, editable=False, help_text="The folded name.")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @classmethod
    def rows(cls, book: Book, names: Iterable[str]) -> list[Any]:
        """Rows, not saved yet, for `names` in their order, from position 0."""
        return [
            cls(book=book, position=n, name=name, key=key_of(name))  # type: ignore[misc]  # each subclass has it
            for n, name in enumerate(names)
        ]


class BookAuthor(_Name):
    """One author of a book."""

    book = models.ForeignKey("catalog.Book", models.CASCADE, related_name="author_rows")

    class Meta:
        ordering = ["position"]
        indexes = [models.Index(fields=["key", "book"], name="catalog_bookauthor_by_key")]
        constraints = [models.UniqueConstraint(fields=["book", "position"], name="catalog_bookauthor_once")]


class BookSubject(_Name):
    """One subject of a book."""

    book = models.ForeignKey("catalog.Book", models.CASCADE, related_name="subject_rows")

    class Meta:
        ordering = ["position"]
        indexes = [models.Index(fields=["key", "book"], name="catalog_booksubject_by_key")]
        constraints = [models.UniqueConstraint(fields=["book", "position"], name="catalog_booksubject_once")]
