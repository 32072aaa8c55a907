"""Data of the admin's bar charts, which are rendered by the theme's chart component.

A template shows the charts in its context variable `charts` with `{% include "core/charts.html" %}`.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.formats import date_format, number_format
from django.utils.functional import Promise


@dataclass(frozen=True)
class BarChart:
    """A title, the lines of each bar's label, and the values."""

    title: str | Promise
    labels: Sequence[Sequence[str]]
    values: Sequence[int]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(self.values)

    @property
    def data(self) -> str:
        """The data in the format of Chart.js."""
        bars = {"data": self.values, "backgroundColor": "var(--color-primary-600)", "maxBarThickness": 24}
        return json.dumps({"labels": self.labels, "datasets": [bars | {"displayYAxis": True}]})

    @property
    def rows(self) -> list[tuple[str, int]]:
        """Each label in one line with its value, for the table below the chart."""
        return [(" ".join(label), value) for label, value in zip(self.labels, self.values, strict=True)]


def last_months(today: datetime.date, count: int = 12) -> list[datetime.date]:
    """Return the first days of the last months including this one, the oldest first."""
    current = today.year * 12 + today.month - 1
    return [datetime.date(month // 12, month % 12 + 1, 1) for month in range(current - count + 1, current + 1)]


def monthly_chart(title: str | Promise, months: Iterable[tuple[datetime.date, int]]) -> BarChart:
    """Return a chart by month; the first month and each January are labelled with the year too."""
    labels: list[list[str]] = []
    values = []
    for month, value in months:
        year = [str(month.year)] if month.month == 1 or not labels else []
        labels.append([date_format(month, "M"), *year])
        values.append(value)
    return BarChart(title, labels, values)


def rating_chart(title: str | Promise, histogram: dict[str, int]) -> BarChart:
    """Return a chart of the number of ratings by stars."""
    return BarChart(title, [[number_format(stars), "★"] for stars in histogram], list(histogram.values()))
