"""Books that may be one work twice: those with a key in common, by title and first author, or by title and publisher.

The keys are columns with an index, so that the groups are found in one walk along it, page by page, at any size.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from stdnum import isbn

from bookbridge.api.text import words
from catalog.names import KEY_LENGTH

# First words that titles of one work have or have not, in the languages that there are most books in.
ARTICLES = frozenset(
    "the a an o os as um uma el la los las un una le les une der die das ein eine il lo gli i de het een".split()
)


def bare_title(title: str) -> list[str]:
    """A title's words without what stands in brackets and without an article in front: `The Hobbit (#0)`: `hobbit`."""
    found = words(re.sub(r"\s*[(\[][^)\]]*[)\]]", "", title)) or words(title)
    return found[1:] if len(found) > 1 and found[0] in ARTICLES else found


def work_key(title: str, authors: Sequence[str]) -> str | None:
    """The key of a work: its bare title, and the first author's letters, `Tolkien, J. R. R.` as `J.R.R. Tolkien`."""
    if not authors or not bare_title(title):
        return None
    last, comma, first = authors[0].partition(",")
    name = "".join(words(f"{first} {last}" if comma else last))
    return _key(bare_title(title), name)


def print_key(title: str, isbn13: str | None) -> str | None:
    """The key of a printing: its bare title, and what the ISBN has of the language area and the publisher."""
    if not isbn13 or not bare_title(title):
        return None
    prefix, group, publisher, _item, _check = isbn.split(isbn13)
    return _key(bare_title(title), f"{prefix}-{group}-{publisher}") if publisher else None


def _key(title: Sequence[str], by: str) -> str:
    # Who by comes first: a long title does not cut it off.
    return f"{by[:60]} {' '.join(title)}"[:KEY_LENGTH].rstrip()
