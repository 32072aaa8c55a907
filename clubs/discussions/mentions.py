"""Whom a post names: `@username`."""

import re

from bookbridge.api.text import identifier_key

# Readers that one post can call; names beyond these are only text.
MOST_NAMES = 20
# Behind a letter, a digit or a dot it is part of an address: `alice@example.org`.
_NAME = re.compile(r"(?<![\w.@/-])@([A-Za-z0-9][A-Za-z0-9_.-]{2,29})(?![A-Za-z0-9_@-])")


def names_in(text: str) -> list[str]:
    """The names a text calls, as they are compared, each once and in order.

    A full stop behind a name may be part of it or end the sentence, so both readings are given.
    """
    found: dict[str, None] = {}
    for name in dict.fromkeys(match.group(1) for match in _NAME.finditer(text)):
        if len(found) >= MOST_NAMES:
            break
        found[identifier_key(name)] = None
        found[identifier_key(name.rstrip(".-_"))] = None
    return list(found)
