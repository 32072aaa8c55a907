"""Counters stored on reading list entries, from which the statistics of a club are computed."""

from decimal import Decimal
from typing import Any

from django.db import models

from catalog.ratings import HALF_STARS, average_from_histogram


def _count() -> Any:
    return models.IntegerField(default=0, editable=False)


class EntryCounters(models.Model):
    """Counters of the active members' ratings of a book and progress in it.

    `stars_n` is the number of ratings with n half-stars: public ones, and in a private club also those that their
    authors share with clubs. `pages` is the sum of visible progress in pages, `percents` that of all other visible
    progress. See `stats.counters`.
    """

    stars_1 = _count()
    stars_2 = _count()
    stars_3 = _count()
    stars_4 = _count()
    stars_5 = _count()
    stars_6 = _count()
    stars_7 = _count()
    stars_8 = _count()
    stars_9 = _count()
    stars_10 = _count()
    pages = models.DecimalField(max_digits=14, decimal_places=2, default=0, editable=False)
    percents = models.DecimalField(max_digits=14, decimal_places=2, default=0, editable=False)

    class Meta:
        abstract = True

    @property
    def stars(self) -> dict[int, int]:
        """Number of ratings per number of half-stars."""
        return {n: getattr(self, f"stars_{n}") for n in HALF_STARS}

    @property
    def club_average_rating(self) -> Decimal | None:
        """Mean of these ratings with two decimals, or None."""
        return average_from_histogram(self.visible_stars)

    @property
    def visible_stars(self) -> dict[int, int]:
        """Number of ratings as members see them: none while opinions on the book are sealed.

        Only for entries with the annotation `is_sealed`, such as those of `EntryQuerySet.with_details_for`.
        """
        return {} if self.is_sealed else self.stars  # type: ignore[attr-defined]


ZERO_COUNTERS: dict[str, int] = {f"stars_{n}": 0 for n in HALF_STARS} | {"pages": 0, "percents": 0}
