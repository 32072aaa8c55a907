"""Types of the arguments of management commands."""

from argparse import ArgumentTypeError


def batch_size(text: str) -> int:
    """Parse a number of rows from 1 to 10,000."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= 10_000:
        raise ArgumentTypeError("must be a whole number from 1 to 10000")
    return int(text)
