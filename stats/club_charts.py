"""Charts on a club's admin page."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clubs.club.models import Club
from core.admin import charts
from stats.club_statistics import ClubStatistics


def build_club_charts(club: Club) -> list[charts.BarChart]:
    """Return charts of joins, finished books (last twelve months, club time) and ratings. Takes two queries."""
    zone = ZoneInfo(club.timezone)
    months = charts.last_months(timezone.localdate(timezone=zone))
    figures = ClubStatistics(club)
    finished = {row["month"]: row["count"] for row in figures.finished_by_month}
    return [
        charts.monthly_chart(
            _("Members by month of joining"), zip(months, _joins_per_month(club, months, zone), strict=True)
        ),
        charts.monthly_chart(_("Books finished"), [(month, finished.get(f"{month:%Y-%m}", 0)) for month in months]),
        charts.rating_chart(_("Members’ public ratings of the books on the list"), figures.rating_histogram),
    ]


def _joins_per_month(club: Club, months: list[datetime.date], zone: ZoneInfo) -> list[int]:
    """Return the number of members who joined in each month."""
    starts = [datetime.datetime(month.year, month.month, 1, tzinfo=zone) for month in months]
    ends = [*starts[1:], timezone.now()]
    counts = {
        f"n{number}": Count("pk", filter=Q(joined_at__gte=start, joined_at__lt=end))
        for number, (start, end) in enumerate(zip(starts, ends, strict=True))
    }
    found = club.memberships.active().filter(joined_at__gte=starts[0]).aggregate(**counts)
    return list(found.values())
