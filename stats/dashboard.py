"""Content of the admin dashboard."""

from typing import Any

from django.http import HttpRequest

from core.registry import admin_panels
from stats.charts import build_platform_charts


def dashboard_callback(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the charts of the platform and the panels of the apps to the context."""
    context["charts"] = build_platform_charts()
    context["panels"] = [panel for build in admin_panels.values() if (panel := build(request))]
    return context
