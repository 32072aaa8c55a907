"""Look up books by ISBN in the catalog and at the book provider."""

from contextlib import suppress

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from catalog.models import Book
from catalog.providers import Provider, ProviderBook, default_provider
from core.api.exceptions import APIProblem, Conflict


def lookup_isbn(isbn13: str, *, by: User, provider: Provider | None = None) -> tuple[Book, bool]:
    """Return the book with this ISBN and whether it was created from the provider's data.

    Raises APIProblem 404 `unknown_isbn`, and ServiceUnavailable `provider_unavailable` if the provider fails.
    """
    existing = Book.objects.with_isbn(isbn13).first()
    if existing:
        return existing, False
    provider_book = (provider or default_provider()).get_by_isbn(isbn13)
    if provider_book is None:
        raise APIProblem(404, "unknown_isbn", _("No book with this ISBN was found."))
    return _create_from_provider(provider_book, isbn13, by=by)


def _create_from_provider(provider_book: ProviderBook, isbn13: str, *, by: User) -> tuple[Book, bool]:
    """Create the book; if a concurrent request has created it, return that one."""
    fields = provider_book.as_fields()
    try:
        return Book.create_book(by=by, isbn13=isbn13, **fields), True
    except Conflict as conflict:
        return Book.objects.get(pk=conflict.extra["book"]), False
    except IntegrityError:
        # The provider's record was imported before, perhaps with another ISBN.
        existing = provider_book.origin and Book.objects.filter(origin=provider_book.origin).first()
        if not existing:
            raise
        if existing.merged_into is not None:
            existing = Book.objects.get(pk=Book.objects.resolve_id(existing.pk))
    with suppress(Conflict):
        existing.add_edition(isbn13=isbn13, **fields["edition"])
    return existing, False
