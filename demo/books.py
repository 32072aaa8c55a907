"""Lookup of books for the demo data."""

from catalog.models import Book
from core.search.normalize import fold_case_and_accents


def find_book(title: str) -> Book | None:
    """Return the most rated book whose title starts with `title`, ignoring case and accents."""
    books = Book.objects.filter(title_key__startswith=fold_case_and_accents(title))
    return books.order_by("-ratings_count", "id").first()
