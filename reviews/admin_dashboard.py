"""Admin dashboard panel of reviews."""

import datetime

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.admin.dashboard import Panel, format_capped_count
from reviews.models import Review


def reviews_panel(request: HttpRequest) -> Panel | None:
    """Return the number of new reviews of any visibility in the last day and week; each count reads an index range."""
    if not request.user.has_perm("reviews.view_review"):
        return None
    now, page = timezone.now(), reverse("admin:reviews_review_changelist")
    day, week = (Review.objects.filter(created_at__gt=now - datetime.timedelta(days=n)) for n in (1, 7))
    rows = [
        (_("new in the last 24 hours"), format_capped_count(day), page),
        (_("new in the last 7 days"), format_capped_count(week), page),
    ]
    return Panel(_("Reviews"), rows)
