"""Counters stored on books."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.ratings import HALF_STARS, histogram


def _counter(**kwargs: Any) -> Any:
    return models.PositiveIntegerField(default=0, editable=False, **kwargs)


class BookCounters(models.Model):
    """Counters of public ratings and of clubs.

    Reviews and clubs update them in the transaction that changes the counted rows.
    """

    ratings_count = _counter(verbose_name=_("number of ratings"))
    ratings_sum = models.PositiveIntegerField(default=0, editable=False, help_text="In half-stars.")
    average_rating = models.DecimalField(
        max_digits=3, decimal_places=2, null=True, editable=False, verbose_name=_("average rating")
    )
    stars_1 = _counter()
    stars_2 = _counter()
    stars_3 = _counter()
    stars_4 = _counter()
    stars_5 = _counter()
    stars_6 = _counter()
    stars_7 = _counter()
    stars_8 = _counter()
    stars_9 = _counter()
    stars_10 = _counter()
    clubs_reading = _counter()
    clubs_finished = _counter()

    class Meta:
        abstract = True

    @property
    def stars(self) -> dict[int, int]:
        """Number of ratings per number of half-stars."""
        return {n: getattr(self, f"stars_{n}") for n in HALF_STARS}

    @property
    def histogram(self) -> dict[str, int]:
        """The number of ratings per rating, from 0.5 to 5.0 stars."""
        return histogram(self.stars)
