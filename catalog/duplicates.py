"""Find likely duplicates: books that share a key made of title and first author, or of title and publisher.

The keys are indexed columns, so that groups are found page by page in one index scan, whatever the size of the catalog.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Count, Sum
from django.db.models.functions import Cast
from stdnum import isbn

from bookbridge.api.text import words
from catalog.names import KEY_LENGTH

if TYPE_CHECKING:
    from catalog.models import Book

GROUPS_PER_PAGE, MOST_SHOWN = 20, 20
# Leading articles of the languages with most books; titles of the same work may have them or not.
ARTICLES = frozenset(
    "the a an o os as um uma el la los las un una le les une der die das ein eine il lo gli i de het een".split()
)
WAYS = ("work_key", "print_key")


def bare_title(title: str) -> list[str]:
    """Return the title's words without brackets and without a leading article: `The Hobbit (#0)` gives `hobbit`."""
    found = words(re.sub(r"\s*[(\[][^)\]]*[)\]]", "", title)) or words(title)
    return found[1:] if len(found) > 1 and found[0] in ARTICLES else found


def work_key(title: str, authors: Sequence[str]) -> str | None:
    """Return the key made of the bare title and the first author, None if either is empty.

    The author's name is reduced to its letters, so that `Tolkien, J. R. R.` equals `J.R.R. Tolkien`.
    """
    if not authors or not bare_title(title):
        return None
    last, comma, first = authors[0].partition(",")
    name = "".join(words(f"{first} {last}" if comma else last))
    return _key(bare_title(title), name)


def print_key(title: str, isbn13: str | None) -> str | None:
    """Return the key made of the bare title and the publisher, None without them.

    The publisher is identified by the ISBN's prefix, registration group and registrant.
    """
    if not isbn13 or not bare_title(title):
        return None
    prefix, group, publisher, _item, _check = isbn.split(isbn13)
    return _key(bare_title(title), f"{prefix}-{group}-{publisher}") if publisher else None


def _key(title: Sequence[str], by: str) -> str:
    # The author or publisher comes first, so that a long title does not cut it off.
    return f"{by[:60]} {' '.join(title)}"[:KEY_LENGTH].rstrip()


def groups(way: str, *, after: str = "") -> tuple[list[tuple[str, list[Book]]], str]:
    """Return the next groups of books that share a key, and the key after which the next page starts.

    Groups in which every book is confirmed distinct are left out. `way` is one of KEY_FIELDS. A group has at most
    MAX_SHOWN books, the best known first.
    """
    from catalog.models import Book

    keyed = Book.objects.filter(**{f"{way}__gt": after}).order_by(way).values(way)
    apart = Sum(Cast("told_apart", models.IntegerField()))
    found = keyed.annotate(n=Count("pk"), apart=apart).filter(n__gt=1, apart__lt=models.F("n"))
    keys = [row[way] for row in found[: GROUPS_PER_PAGE + 1]]
    shown = keys[:GROUPS_PER_PAGE]
    books: defaultdict[str, list[Any]] = defaultdict(list)
    rows = Book.objects.filter(**{f"{way}__in": shown}).defer("search_text", "description")
    for book in rows.order_by(way, "-ratings_count", "pk"):
        if len(books[getattr(book, way)]) < MOST_SHOWN:
            books[getattr(book, way)].append(book)
    return [(key, books[key]) for key in shown], shown[-1] if len(keys) > GROUPS_PER_PAGE else ""
