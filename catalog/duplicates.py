"""Books that may be one work twice: those with a key in common, by title and first author, or by title and publisher.

The keys are columns with an index, so that the groups are found in one walk along it, page by page, at any size.
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
# First words that titles of one work have or have not, in the languages that there are most books in.
ARTICLES = frozenset(
    "the a an o os as um uma el la los las un una le les une der die das ein eine il lo gli i de het een".split()
)
WAYS = ("work_key", "print_key")


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


def groups(way: str, *, after: str = "") -> tuple[list[tuple[str, list[Book]]], str]:
    """The next groups of books with one key, those whose every pair staff have told apart left out; where to go on.

    `way` is one of WAYS. Each group has twenty books at most, the best known first.
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
