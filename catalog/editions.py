"""Editions of a book."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_lazy as _

from bookbridge.api.errors import Conflict
from bookbridge.api.fields import KeyField

FIRST_YEAR, LAST_YEAR = -3000, 2100
MOST_PAGES = 50_000

YEARS = [MinValueValidator(FIRST_YEAR), MaxValueValidator(LAST_YEAR)]
PAGES = [MinValueValidator(1), MaxValueValidator(MOST_PAGES)]


class Edition(models.Model):
    """One edition of a book, identified by its ISBN."""

    book = models.ForeignKey("catalog.Book", models.CASCADE, related_name="editions")
    isbn13 = KeyField(max_length=13, unique=True)
    format = models.CharField(max_length=50, blank=True)
    publisher = models.CharField(max_length=200, blank=True)
    language = KeyField(max_length=12, blank=True)
    page_count = models.PositiveIntegerField(null=True, blank=True, validators=PAGES)
    published_year = models.SmallIntegerField(null=True, blank=True, validators=YEARS)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.isbn13


@contextmanager
def isbn_is_free(isbn13: str) -> Iterator[None]:
    """Raise Conflict `duplicate_isbn`, with the id of the other book, if the unique constraint on the ISBN fails."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        holder = Edition.objects.filter(isbn13=isbn13).values_list("book", flat=True).first()
        if holder is None:
            raise
        raise Conflict("duplicate_isbn", _("The catalog already has a book with this ISBN."), book=holder) from None
