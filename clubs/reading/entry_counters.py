"""What is kept beside each entry of a reading list, so that a club's figures need not be counted from its readers'."""

from decimal import Decimal
from typing import Any

from django.db import models

from catalog.ratings import HALF_STARS, average_of


def _count() -> Any:
    return models.IntegerField(default=0, editable=False)


class EntryFigures(models.Model):
    """What the active members of the club make of one book of its list; see `clubs.statistics.services`.

    `stars_n` is how many have rated it with n half-stars, for everybody to read. `pages` is the sum of the visible
    marks that are in pages, `percents` that of the others.
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
        """How many ratings of each number of half-stars."""
        return {n: getattr(self, f"stars_{n}") for n in HALF_STARS}

    @property
    def club_average_rating(self) -> Decimal | None:
        """The mean of these ratings, two decimals, None without any."""
        return average_of(self.stars)


NOTHING: dict[str, int] = {f"stars_{n}": 0 for n in HALF_STARS} | {"pages": 0, "percents": 0}
