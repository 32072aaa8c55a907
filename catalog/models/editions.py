"""Editions of a book."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_lazy as _

from core.api.exceptions import Conflict
from core.db.fields import BinaryCollationCharField

if TYPE_CHECKING:
    from catalog.models.books import Book

FIRST_YEAR, LAST_YEAR = -3000, 2100
MAX_PAGES = 50_000

YEAR_VALIDATORS = [MinValueValidator(FIRST_YEAR), MaxValueValidator(LAST_YEAR)]
PAGE_VALIDATORS = [MinValueValidator(1), MaxValueValidator(MAX_PAGES)]


# What `BookQuerySet.for_detail` loads of the editions.
EDITION_COLUMNS = ("id", "isbn13", "title", "format", "page_count", "publisher", "language", "published_year")


class EditionBase(models.Model):
    """What describes an edition."""

    title = models.CharField(
        max_length=500,
        blank=True,
        default="",
        db_default="",
        help_text=_("The title of this edition, if it is not that of the book."),
        verbose_name=_("title"),
    )
    format = models.CharField(max_length=50, blank=True, verbose_name=_("format"))
    publisher = models.CharField(max_length=200, blank=True, verbose_name=_("publisher"))
    language = BinaryCollationCharField(max_length=12, blank=True, verbose_name=_("language"))
    page_count = models.PositiveIntegerField(
        null=True, blank=True, validators=PAGE_VALIDATORS, verbose_name=_("number of pages")
    )
    published_year = models.SmallIntegerField(
        null=True, blank=True, validators=YEAR_VALIDATORS, verbose_name=_("published year")
    )

    class Meta:
        abstract = True


class Edition(EditionBase):
    """One edition of a book, identified by its ISBN."""

    book = models.ForeignKey("catalog.Book", models.CASCADE, related_name="editions", verbose_name=_("book"))
    isbn13 = BinaryCollationCharField(max_length=13, unique=True, verbose_name=_("isbn13"))

    class Meta:
        verbose_name = _("edition")
        verbose_name_plural = _("editions")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.isbn13


class DuplicateISBN(Conflict):
    """409 `duplicate_isbn`; `book` is the book that has the ISBN."""

    def __init__(self, book: Book) -> None:
        super().__init__("duplicate_isbn", _("The catalog already has a book with this ISBN."), book=book.summary)
        self.book = book


@contextmanager
def conflict_on_duplicate_isbn(isbn13: str) -> Iterator[None]:
    """Raise DuplicateISBN if the unique constraint on the ISBN fails."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        existing = Edition.objects.filter(isbn13=isbn13).select_related("book").first()
        if existing is None:
            raise
        raise DuplicateISBN(existing.book) from None
