"""ISBNs that a file gives to several titles, such as the one of an encyclopedia for all its volumes."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from contextlib import suppress

from catalog.identity import WorkTitle
from catalog.isbn import normalize_isbn


def shared_isbns(rows: Iterable[tuple[str, Iterable[str]]]) -> frozenset[str]:
    """Return the normalized ISBNs that belong to different works; `rows` are titles with their cells of ISBNs.

    Cells are compared as they are written, because most are unique and every run of an import reads the whole file.
    """
    titles: defaultdict[str, set[str]] = defaultdict(set)
    for title, cells in rows:
        for cell in cells:
            titles[cell].add(title)
    found = set()
    for cell, names in titles.items():
        if len(names) > 1:
            with suppress(ValueError):
                isbn13 = normalize_isbn(cell.strip().removeprefix("=").strip('"'))
                found.update([isbn13] if _are_different(names) else [])
    return frozenset(found)


def _are_different(titles: Collection[str]) -> bool:
    first, *others = map(WorkTitle.parse, titles)
    return not all(map(first.matches, others))
