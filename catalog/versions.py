"""Cache versions of responses that contain books."""

from collections.abc import Collection

from core.counters.versions import bump_versions

# Of responses with many books, and of all responses with one book. Each book also has its own version.
CATALOG_VERSION, ANY_BOOK_VERSION = "catalog", "any book"


def invalidate_books(books: Collection[int]) -> None:
    """Bump the cache versions of these books, in the transaction that changes them."""
    bump_versions(*book_versions(books))


def book_versions(books: Collection[int]) -> list[str]:
    """Return the cache versions to bump when these books change."""
    names = [f"book:{book}" for book in books] if len(books) <= 50 else [ANY_BOOK_VERSION]
    return [CATALOG_VERSION, *names] if books else []
