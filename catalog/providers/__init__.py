"""Book providers: external services that look up books by ISBN.

`base` has the interface, `http` limits requests, `cleaning` has the helpers that all parsers share; `chain` asks one
provider after the other.
"""

from catalog.providers.base import ProviderBook
from catalog.providers.chain import get_provider_chain

__all__ = ["ProviderBook", "get_provider_chain"]
