"""Names of authors and subjects, and the keys by which names are compared and sorted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from catalog.identity import KEY_LENGTH, author_key
from core.db.fields import BinaryCollationCharField
from core.search.fields import AMPERSANDS, CONJUNCTIONS
from core.search.normalize import fold_case_and_accents, split_words

if TYPE_CHECKING:
    from catalog.models.books import Book

# Of the authors of a book, and of its subjects.
MAX_NAMES, NAME_LENGTH = 50, 200
NAMES_ERROR = format_lazy(
    _("At most {count} names of at most {length} characters."), count=MAX_NAMES, length=NAME_LENGTH
)

# English and Portuguese articles that titles in these languages are sorted without. In a title of unknown language `as`
# is more often the English conjunction, unless a plural follows: As Meninas, but As I Lay Dying.
SORT_ARTICLES = {
    "en": re.compile(r"^(?:the|an?) "),
    "pt": re.compile(r"^(?:[oa]s?|uma?|uns|umas) "),
    "": re.compile(r"^(?:the|an?|os?|uma?|uns|umas|as(?= \w+s\b)) "),
}
# Quotation marks and other punctuation before the first word.
_LEADING_MARKS = re.compile(r"^\W+(?=\w)")


def sort_key(text: str) -> str:
    """Return the normalized form by which names and titles are sorted."""
    return fold_case_and_accents(text)[:KEY_LENGTH].rstrip()


def subject_key(text: str) -> str:
    """Return the words of a subject: `Children’s fiction` equals `childrens fiction`, and `R&B` equals `R and B`."""
    words = split_words(AMPERSANDS.sub(" and ", text))
    last = len(words) - 1
    joined = " ".join("and" if 0 < n < last and word in CONJUNCTIONS else word for n, word in enumerate(words))
    return joined[:KEY_LENGTH].rstrip() or sort_key(text)


def title_sort_key(title: str, language: str = "") -> str:
    """Return the form by which titles are sorted: without quotation marks and articles at the beginning."""
    text = _LEADING_MARKS.sub("", fold_case_and_accents(title))
    if article := SORT_ARTICLES.get(language.partition("-")[0]):
        text = _LEADING_MARKS.sub("", article.sub("", text))
    return text[:KEY_LENGTH].rstrip()


def join_authors(names: Sequence[str]) -> str:
    """Join the names with commas, truncated to 500 characters with an ellipsis."""
    line = ", ".join(names)
    return line if len(line) <= 500 else line[:499].rstrip(" ,") + "…"


class BookNameBase(models.Model):
    """A name of an author or a subject, with its position and its key."""

    position = models.PositiveSmallIntegerField(verbose_name=_("position"))
    name = models.CharField(max_length=NAME_LENGTH, verbose_name=_("name"))
    key = BinaryCollationCharField(
        max_length=KEY_LENGTH, editable=False, help_text="Normalized name.", verbose_name=_("key")
    )

    make_key = staticmethod(sort_key)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @classmethod
    def build(cls, book: Book, names: Iterable[str]) -> list[Any]:
        """Return unsaved rows for `names` in order, with positions from 0."""
        return [
            cls(book=book, position=n, name=name, key=cls.make_key(name))  # type: ignore[misc]  # defined by each subclass
            for n, name in enumerate(names)
        ]


class BookAuthor(BookNameBase):
    """An author of a book."""

    book = models.ForeignKey("catalog.Book", models.CASCADE, related_name="author_rows", verbose_name=_("book"))

    make_key = staticmethod(author_key)

    class Meta:
        ordering = ["position"]
        indexes = [models.Index(fields=["key", "book"], name="catalog_bookauthor_by_key")]
        constraints = [models.UniqueConstraint(fields=["book", "position"], name="catalog_bookauthor_once")]


class BookSubject(BookNameBase):
    """A subject of a book."""

    book = models.ForeignKey("catalog.Book", models.CASCADE, related_name="subject_rows", verbose_name=_("book"))

    make_key = staticmethod(subject_key)

    class Meta:
        ordering = ["position"]
        indexes = [models.Index(fields=["key", "book"], name="catalog_booksubject_by_key")]
        constraints = [models.UniqueConstraint(fields=["book", "position"], name="catalog_booksubject_once")]
