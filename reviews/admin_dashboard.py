"""Admin dashboard panel of reviews."""

import datetime

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.admin.dashboard import Panel, format_capped_count
from reviews.models import Review

MAX_REVIEWS = 10


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


def user_reviews_panel(user: User, request: HttpRequest) -> Panel | None:
    """Return the latest reviews of a user."""
    if not request.user.has_perm("reviews.view_review"):
        return None
    reviews = Review.objects.filter(author=user).select_related("book").order_by("-created_at", "-pk")[:MAX_REVIEWS]
    rows = [
        (
            str(review.book.title),
            " ".join(filter(None, (review.stars_display, Truncator(review.title or review.body).chars(80)))),
            reverse("admin:reviews_review_change", args=[review.pk]),
        )
        for review in reviews
    ]
    return Panel(_("Reviews"), rows)
