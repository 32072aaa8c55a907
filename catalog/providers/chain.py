"""Ask several providers, one after the other."""

import logging
import time
from collections.abc import Sequence

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from catalog.providers.base import Provider, ProviderBook, ProviderError
from catalog.providers.brasilapi import BrasilAPIProvider
from catalog.providers.google_books import GoogleBooksProvider
from catalog.providers.openlibrary import OpenLibraryProvider
from core.api.exceptions import ServiceUnavailable

logger = logging.getLogger(__name__)

# The time of one provider, and of all together.
PROVIDER_SECONDS = 4.0
TOTAL_SECONDS = 8.0
# Registration group 65, and its former number 85.
BRAZILIAN_PREFIXES = ("97865", "97885")


class ProviderChain:
    """Providers in the order in which they are asked. One that fails is skipped."""

    def __init__(self, providers: Sequence[Provider]) -> None:
        self.providers = providers

    def get_by_isbn(self, isbn13: str) -> ProviderBook | None:
        """Return the book of the first provider that knows the normalized ISBN-13, None if all say that they do not.

        Raises ServiceUnavailable `provider_unavailable` if none knows it, but one of them could not be asked.
        """
        deadline = time.monotonic() + TOTAL_SECONDS
        failed = False
        for provider in self.providers:
            seconds = min(PROVIDER_SECONDS, deadline - time.monotonic())
            if seconds <= 0:
                failed = True
                break
            try:
                book = provider.get_by_isbn(isbn13, seconds=seconds)
            except ProviderError as error:
                logger.warning("A book provider failed: %s", error)
                failed = True
                continue
            if book is not None:
                return book
        if failed:
            text = _("The book provider is not responding. Please try again later.")
            raise ServiceUnavailable("provider_unavailable", text)
        return None


def get_provider_chain(isbn13: str) -> ProviderChain:
    """Return the chain of the configured providers for this ISBN."""
    providers: list[Provider] = [OpenLibraryProvider(settings.OPENLIBRARY_URL)]
    if isbn13.startswith(BRAZILIAN_PREFIXES):
        providers.insert(0, BrasilAPIProvider(settings.BRASILAPI_URL))
    if settings.GOOGLE_BOOKS_KEY:
        providers.append(GoogleBooksProvider(settings.GOOGLE_BOOKS_URL, settings.GOOGLE_BOOKS_KEY))
    return ProviderChain(providers)
