"""Cache versions, see `core.api.response_cache`.

A version is stored like a counter. A write bumps the versions of the responses that it changes in its own transaction,
after every other lock of the transaction.
"""

from collections.abc import Iterable

from core.counters import counters


def bump_versions(*names: str) -> None:
    """Bump cache versions, which invalidates all responses cached under the old ones."""
    counters.add(dict.fromkeys(names, counters.version_step()))


def get_versions(names: Iterable[str]) -> dict[str, int]:
    """Return cache versions from the primary database, in one query."""
    return counters.get_values(names)
