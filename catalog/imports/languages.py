"""Conversion of language codes to BCP 47 tags."""

import re

from core.languages import shortest_tag

# Codes for no language, several languages or an unknown one.
SPECIAL_CODES = {"mis", "mul", "und", "zxx"}


def language_tag(code: str) -> str:
    """Return the BCP 47 tag of a code, `""` for an unknown one.

    `eng` gives `en`, `en_US` gives `en-us`, and `fil` stays.
    """
    match = re.fullmatch(r"([a-z]{2,3})(?:[-_]([a-z]{2}))?", code.strip().lower())
    if not match or match[1] in SPECIAL_CODES:
        return ""
    return shortest_tag("-".join(filter(None, match.groups())))
