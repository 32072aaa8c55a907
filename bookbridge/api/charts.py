"""Pictures for the admin: bars as SVG in the page itself, so that no script and no other host is asked for anything.

A page shows the charts it has as `charts` in its context with `{% include "charts/all.html" %}`.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.utils.formats import date_format, number_format
from django.utils.functional import Promise

# In the units of the picture.
WIDTH, HEIGHT, FOOT, HEAD = 480, 180, 34, 18


@dataclass(frozen=True)
class Bar:
    """One bar where it stands: whole numbers, which look alike in every language."""

    x: int
    y: int
    width: int
    height: int
    value: str
    label: str
    sublabel: str

    @property
    def middle(self) -> int:
        """Where its words stand."""
        return self.x + self.width // 2


@dataclass(frozen=True)
class Chart:
    """A title and bars: (label, second line of the label, value) each."""

    title: str | Promise
    points: Sequence[tuple[str, str, int]]
    width = WIDTH
    height = HEIGHT
    foot = HEIGHT - FOOT
    label_at = HEIGHT - FOOT + 15
    sublabel_at = HEIGHT - 5

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to see."""
        return not any(value for _label, _sublabel, value in self.points)

    @property
    def bars(self) -> Iterator[Bar]:
        """Each bar, the highest as high as there is room; one that is not 0 can be seen."""
        most = max((value for _label, _sublabel, value in self.points), default=0)
        step, room = WIDTH // max(len(self.points), 1), HEIGHT - FOOT - HEAD
        for number, (label, sublabel, value) in enumerate(self.points):
            height = max(room * value // most, 2) if value > 0 else 0
            shown = short(value) if value else ""
            yield Bar(number * step + step // 8, self.foot - height, step * 3 // 4, height, shown, label, sublabel)


def short(value: int) -> str:
    """A number in at most four characters or so: 12, 3.4k, 56k, 7.8M."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if value >= size:
            places = 1 if value < 10 * size else 0
            return number_format(round(value / size, places), places) + letter
    return str(value)


def last_months(today: datetime.date, count: int = 12) -> list[datetime.date]:
    """The first days of the last months, this one included, the oldest first."""
    this = today.year * 12 + today.month - 1
    return [datetime.date(month // 12, month % 12 + 1, 1) for month in range(this - count + 1, this + 1)]


def by_month(title: str | Promise, months: Iterable[tuple[datetime.date, int]]) -> Chart:
    """A chart of something by month; the year stands below the first one and below each January."""
    points: list[tuple[str, str, int]] = []
    for month, value in months:
        year = str(month.year) if month.month == 1 or not points else ""
        points.append((date_format(month, "M"), year, value))
    return Chart(title, points)


def of_ratings(title: str | Promise, histogram: dict[str, int]) -> Chart:
    """A chart of how many ratings of each kind there are."""
    return Chart(title, [(number_format(stars), "★", value) for stars, value in histogram.items()])
