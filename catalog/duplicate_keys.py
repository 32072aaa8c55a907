"""Keys of likely duplicates: books that share a key made of title and first author, or of title and publisher.

The keys are indexed columns, so that groups are read page by page in one index scan, whatever the size of the catalog.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from stdnum import isbn

from catalog.models.names import KEY_LENGTH
from core.search.normalize import split_words

# Leading articles of the languages with most books; titles of the same work may have them or not.
ARTICLES = frozenset(
    "the a an o os as um uma el la los las un una le les une der die das ein eine il lo gli i de het een".split()
)


def normalized_title(title: str) -> list[str]:
    """Return the title's words without brackets and without a leading article: `The Hobbit (#0)` gives `hobbit`."""
    words = split_words(re.sub(r"\s*[(\[][^)\]]*[)\]]", "", title)) or split_words(title)
    return words[1:] if len(words) > 1 and words[0] in ARTICLES else words


def work_key(title: str, authors: Sequence[str]) -> str | None:
    """Return the key made of the bare title and the first author, None if either is empty.

    The author's name is reduced to its letters, so that `Tolkien, J. R. R.` equals `J.R.R. Tolkien`.
    """
    if not authors or not normalized_title(title):
        return None
    last, comma, first = authors[0].partition(",")
    name = "".join(split_words(f"{first} {last}" if comma else last))
    return _key(normalized_title(title), name)


def edition_key(title: str, isbn13: str | None) -> str | None:
    """Return the key made of the bare title and the publisher, None without them.

    The publisher is identified by the ISBN's prefix, registration group and registrant.
    """
    if not isbn13 or not normalized_title(title):
        return None
    prefix, group, publisher, _item, _check = isbn.split(isbn13)
    return _key(normalized_title(title), f"{prefix}-{group}-{publisher}") if publisher else None


def _key(title: Sequence[str], creator: str) -> str:
    # The author or publisher comes first, so that a long title cannot truncate it.
    return f"{creator[:60]} {' '.join(title)}"[:KEY_LENGTH].rstrip()
