"""Parsing of numbers in JSON notation, for request bodies, query parameters and page sizes.

Python's `int` and `Decimal` accept more: `3_00`, ` 3 `, `+3`, and the digits of other scripts. Text with an exponent is
rejected too; as a JSON number, `1e2` is the same value as 100.
"""

import re

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})")


def is_number(text: str) -> bool:
    """Return whether the text is a number, such as `-3` or `4.50`."""
    return _NUMBER.fullmatch(text) is not None


def parse_integer(text: str, *, min_value: int, max_value: int) -> int | None:
    """Return the integer, or None if the text is not an integer within the limits."""
    number = int(text) if _INTEGER.fullmatch(text) else None
    return number if number is not None and min_value <= number <= max_value else None
