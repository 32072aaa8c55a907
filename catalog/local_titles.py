"""The title of a book in the language of the caller: that of an edition in this language.

An edition in exactly this language comes before those of other regions (`pt` and `pt-pt` for `pt-br`); among equals the
one that was added first.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

if TYPE_CHECKING:
    from catalog.models import Edition


def language_arguments(language: str) -> tuple[str, str, str, str]:
    """Return the tag, its language without the region, and the limits of the tags with a region.

    They are arguments of a prepared query, which may not compute them.
    """
    tag = language.lower()
    base = tag.partition("-")[0]
    # "." follows "-" in ASCII.
    return tag, base, f"{base}-", f"{base}."


@lru_cache(maxsize=32)  # the languages of the API, and the stand-ins of prepared queries
def local_title_subquery(editions: type[Edition], tag: str, base: str, first: str, last: str) -> Coalesce:
    """Return the local title of the outer query's book, NULL without one."""
    # Ordered by the index of the foreign key, so that nothing is sorted.
    titles = editions.objects.filter(book=OuterRef("pk")).exclude(title="").order_by("pk").values("title")
    of_language = Q(language=base) | Q(language__gte=first, language__lt=last)
    return Coalesce(Subquery(titles.filter(language=tag)[:1]), Subquery(titles.filter(of_language)[:1]))


def find_local_title(editions: Iterable[Edition], language: str) -> str | None:
    """Return the local title among the editions of a book, which are in order, None without one."""
    tag, base, first, last = language_arguments(language)
    titled = [edition for edition in editions if edition.title]
    exact = (edition.title for edition in titled if edition.language == tag)
    others = (edition.title for edition in titled if edition.language == base or first <= edition.language < last)
    return next(exact, None) or next(others, None)
