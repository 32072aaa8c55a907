"""Charts of the admin dashboard, built from stored totals with one query."""

import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from catalog.ratings import HALF_STARS, histogram
from core.admin import charts
from core.counters import counters
from core.registry import admin_panels

# Monthly totals and the titles of their charts.
MONTHLY = {
    "users": _("New readers"),
    "clubs": _("New public clubs"),
    "reviews": _("New public reviews"),
    "finished": _("Books finished by public clubs"),
}


def dashboard_callback(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the charts of the last twelve months (UTC) and of ratings, and the panels of the apps, to the context."""
    months = charts.last_months(datetime.datetime.now(datetime.UTC).date())
    monthly = {name: [counters.monthly_key_for_date(name, month) for month in months] for name in MONTHLY}
    stars = {f"stars_{n}": n for n in HALF_STARS}
    totals = counters.get_values([*stars, *(key for keys in monthly.values() for key in keys)])
    context["charts"] = [
        charts.monthly_chart(title, [(month, totals[key]) for month, key in zip(months, monthly[name], strict=True)])
        for name, title in MONTHLY.items()
    ]
    ratings = histogram({n: totals[name] for name, n in stars.items()})
    context["charts"].append(charts.rating_chart(_("Public ratings"), ratings))
    context["panels"] = [panel for make in admin_panels.values() if (panel := make(request))]
    return context
