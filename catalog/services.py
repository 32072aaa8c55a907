"""Look up books by ISBN in the catalog and at the book providers."""

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from catalog.models import Book, DuplicateISBN
from catalog.providers import ProviderBook, get_provider_chain
from core.api.exceptions import APIProblem


def lookup_isbn(isbn13: str, *, by: User) -> tuple[Book, bool]:
    """Return the book with this ISBN and whether the book or its edition was added from a provider's data.

    Raises APIProblem 404 `unknown_isbn`, and ServiceUnavailable `provider_unavailable` if no provider found
    the book but at least one of them failed.
    """
    existing = Book.objects.with_isbn(isbn13).first()
    if existing:
        return existing, False
    provider_book = get_provider_chain(isbn13).get_by_isbn(isbn13)
    if provider_book is None:
        raise APIProblem(404, "unknown_isbn", _("No book with this ISBN was found."))
    return _create_from_provider(provider_book, isbn13, by=by)


def _create_from_provider(provider_book: ProviderBook, isbn13: str, *, by: User) -> tuple[Book, bool]:
    """Create the book, or add the edition to its work; if a concurrent request has done so, return that book."""
    authors = provider_book.authors
    existing = Book.objects.find_work(provider_book.title, authors) if authors else None
    if existing is None:
        try:
            return Book.create_book(by=by, isbn13=isbn13, **provider_book.book_fields), True
        except DuplicateISBN as conflict:
            return conflict.book, False
        except IntegrityError:
            # The provider's record was imported before, perhaps with another ISBN.
            record = Book.objects.filter(origin=provider_book.origin).first() if provider_book.origin else None
            if record is None:
                raise
            existing = Book.objects.merge_target(record.pk)
    try:
        existing.add_edition(isbn13=isbn13, **provider_book.edition_fields)
    except DuplicateISBN as conflict:
        return conflict.book, False
    return existing, True
