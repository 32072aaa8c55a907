"""Charts of the admin: of the platform on the dashboard, and of a club on its page."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.ratings import HALF_STARS, histogram
from clubs.club.models import Club
from core.admin import charts
from core.counters import counters
from stats.club_statistics import ClubStatistics

# Monthly totals and the titles of their charts.
MONTHLY_TOTALS = {
    "users": _("New readers"),
    "clubs": _("New public clubs"),
    "reviews": _("New public reviews"),
    "finished": _("Books finished by public clubs"),
}


def build_platform_charts() -> list[charts.BarChart]:
    """Return charts of stored totals by month (the last twelve, UTC) and of all public ratings. Takes one query."""
    months = charts.last_months(datetime.datetime.now(datetime.UTC).date())
    keys = {name: [counters.monthly_key_for_date(name, month) for month in months] for name in MONTHLY_TOTALS}
    stars = {f"stars_{n}": n for n in HALF_STARS}
    totals = counters.get_values([*stars, *(key for monthly in keys.values() for key in monthly)])
    monthly_charts = [
        charts.monthly_chart(title, [(month, totals[key]) for month, key in zip(months, keys[name], strict=True)])
        for name, title in MONTHLY_TOTALS.items()
    ]
    ratings = histogram({n: totals[name] for name, n in stars.items()})
    return [*monthly_charts, charts.rating_chart(_("Public ratings"), ratings)]


def build_club_charts(club: Club) -> list[charts.BarChart]:
    """Return charts of joins and finished books (last twelve months, club time), and of ratings. Takes two queries.

    The ratings of a private club are for its members only.
    """
    zone = ZoneInfo(club.timezone)
    months = charts.last_months(timezone.localdate(timezone=zone))
    statistics = ClubStatistics(club)
    finished = {row["month"]: row["count"] for row in statistics.finished_by_month}
    built = [
        charts.monthly_chart(
            _("Members by month of joining"), zip(months, _joins_per_month(club, months, zone), strict=True)
        ),
        charts.monthly_chart(_("Books finished"), [(month, finished.get(f"{month:%Y-%m}", 0)) for month in months]),
    ]
    if not club.is_private:
        histogram = statistics.rating_histogram
        built.append(charts.rating_chart(_("Members’ public ratings of the books on the list"), histogram))
    return built


def _joins_per_month(club: Club, months: list[datetime.date], zone: ZoneInfo) -> list[int]:
    """Return the number of members who joined in each month."""
    starts = [datetime.datetime(month.year, month.month, 1, tzinfo=zone) for month in months]
    ends = [*starts[1:], timezone.now()]
    counts = {
        f"n{number}": Count("pk", filter=Q(joined_at__gte=start, joined_at__lt=end))
        for number, (start, end) in enumerate(zip(starts, ends, strict=True))
    }
    joins = club.memberships.active().filter(joined_at__gte=starts[0]).aggregate(**counts)
    return list(joins.values())
