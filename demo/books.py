"""Lookup of books for the demo data."""

from catalog.models import Book, title_sort_key


def find_book(title: str) -> Book | None:
    """Return the most rated book whose title starts with `title`, ignoring case and accents."""
    books = Book.objects.filter(title_key__startswith=title_sort_key(title))
    return books.order_by("-ratings_count", "id").first()
