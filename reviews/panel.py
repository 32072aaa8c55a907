"""Admin dashboard panel of reviews."""

import datetime

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bookbridge.api.admin import Panel, counted
from reviews.models import Review


def panel(request: HttpRequest) -> Panel | None:
    """Return the number of new reviews of any visibility in the last day and week; each count reads an index range."""
    if not request.user.has_perm("reviews.view_review"):
        return None
    now, page = timezone.now(), reverse("admin:reviews_review_changelist")
    day, week = (Review.objects.filter(created_at__gt=now - datetime.timedelta(days=n)) for n in (1, 7))
    rows = [(_("new in the last 24 hours"), counted(day), page), (_("new in the last 7 days"), counted(week), page)]
    return Panel(_("Reviews"), rows)
