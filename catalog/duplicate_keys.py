"""Keys of likely duplicates: books that share a key made of title and first author, or of title and publisher.

The keys are indexed columns, so that groups are read page by page in one index scan, whatever the size of the catalog.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from stdnum import isbn

from catalog.identity import KEY_LENGTH, WorkTitle, author_key
from core.search.normalize import split_words


def title_without_brackets(title: str) -> str:
    """Return the key of a title without anything in brackets: `The Spider-Man [Annotated] (#0)` gives `spiderman`.

    Its words are joined, because hyphenated words are also written as one. Empty if the title has no word.
    """
    bare = re.sub(r"\s*[(\[][^)\]]*[)\]]", "", title)
    bare = bare if split_words(bare) else title
    return "".join(WorkTitle.parse(bare).words) if split_words(bare) else ""


def work_key(title: str, authors: Sequence[str]) -> str | None:
    """Return the key made of the bare title and the first author, None if either is empty."""
    bare = title_without_brackets(title)
    return _key(bare, author_key(authors[0])) if authors and bare else None


def edition_key(title: str, isbn13: str | None) -> str | None:
    """Return the key made of the bare title and the publisher, None without them.

    The publisher is identified by the ISBN's prefix, registration group and registrant.
    """
    bare = title_without_brackets(title)
    if not isbn13 or not bare:
        return None
    prefix, group, publisher, _item, _check = isbn.split(isbn13)
    return _key(bare, f"{prefix}-{group}-{publisher}") if publisher else None


def _key(title: str, creator: str) -> str:
    # The author or publisher comes first, so that a long title cannot truncate it.
    return f"{creator[:60]} {title}"[:KEY_LENGTH].rstrip()
