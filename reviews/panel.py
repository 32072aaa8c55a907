"""What the admin's front page tells of reviews."""

import datetime

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bookbridge.api.admin.dashboard import Panel, counted
from reviews.models import Review


def panel(request: HttpRequest) -> Panel | None:
    """How many were written in the last day and the last week, whoever may read them; each is a range of an index."""
    if not request.user.has_perm("reviews.view_review"):
        return None
    now, page = timezone.now(), reverse("admin:reviews_review_changelist")
    day, week = (Review.objects.filter(created_at__gt=now - datetime.timedelta(days=n)) for n in (1, 7))
    rows = [(_("new in a day"), counted(day), page), (_("new in a week"), counted(week), page)]
    return Panel(_("Reviews"), rows)
