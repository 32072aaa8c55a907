"""Mentions (`@username`) in posts."""

import re

from core.search.normalize import normalize_identifier

# Further mentions in the same post are ignored.
MAX_MENTIONS = 20
# After a letter, a digit or a dot it is part of an e-mail address: `alice@example.org`.
_NAME = re.compile(r"(?<![\w.@/-])@([A-Za-z0-9][A-Za-z0-9_.-]{2,29})(?![A-Za-z0-9_@-])")


def extract_mentions(text: str) -> list[str]:
    """Return the normalized usernames mentioned in a text, in order and without duplicates.

    A full stop after a username may belong to it or end the sentence, so both forms are returned.
    """
    usernames: dict[str, None] = {}
    for name in dict.fromkeys(match.group(1) for match in _NAME.finditer(text)):
        if len(usernames) >= MAX_MENTIONS:
            break
        usernames[normalize_identifier(name)] = None
        usernames[normalize_identifier(name.rstrip(".-_"))] = None
    return list(usernames)
