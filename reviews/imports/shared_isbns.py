"""ISBNs that a file gives to several titles, such as the one of an encyclopedia for all its volumes."""

import re
from collections import defaultdict
from collections.abc import Iterable

from catalog.identity import WorkTitle, are_same_work
from reviews.imports import rows


def shared_isbns(works: Iterable[tuple[str, Iterable[str]]]) -> frozenset[str]:
    """Return the normalized ISBNs that belong to different works; `works` are titles with their cells of ISBNs.

    Only cells with the same digits are normalized, because most are unique and every run of an import reads the whole
    file.
    """
    same_digits: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for title, cells in works:
        for cell in cells:
            if digits := _item_digits(cell):
                same_digits[digits].add((cell, title))
    titles: defaultdict[str, set[str]] = defaultdict(set)
    for group in same_digits.values():
        if len({title for _cell, title in group}) > 1:
            for cell, title in group:
                titles[rows.isbn([cell], [])].add(title)
    return frozenset(
        isbn13 for isbn13, names in titles.items() if isbn13 and not are_same_work(map(WorkTitle.parse, names))
    )


def _item_digits(cell: str) -> str:
    """Return the nine digits that all spellings of an ISBN share: without prefix, check digit and lost zeros."""
    return re.sub("[^0-9Xx]", "", rows.unformatted(cell))[-10:-1].lstrip("0")
