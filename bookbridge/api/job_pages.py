"""Jobs in the admin: what is to be done, what was, and what failed."""

import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from bookbridge.api.admin import LookingAdmin, Panel, counted
from bookbridge.api.jobs import Job, State
from bookbridge.api.registry import admin_panels


@admin.register(Job)
class JobAdmin(LookingAdmin):
    """What is to be done, what was, and what failed. What a job is about is not shown."""

    list_display = ("id", "name", "state", "attempts", "error", "due_at", "created_at", "ended_at")
    list_filter = ("state",)
    fields = ("name", "key", *list_display[2:])
    actions = ("try_again",)

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """Of one state also by when they are due, which an index has."""
        return ("id", "due_at") if "state__exact" in request.GET else ("id",)

    @admin.action(description=_("Try the failed ones again"), permissions=["retry"])
    def try_again(self, request: HttpRequest, queryset: Any) -> None:
        """They are due at once, with all their attempts before them."""
        count = queryset.try_again()
        self.message_user(request, _("Jobs tried again: %(count)d.") % {"count": count})

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Who may change jobs."""
        return request.user.has_perm("api.change_job")


def jobs_panel(request: HttpRequest) -> Panel | None:
    """What could not be done, and what is not done in time."""
    if not request.user.has_perm("api.view_job"):
        return None
    jobs = reverse("admin:api_job_changelist")
    late = Job.objects.filter(state=State.OPEN, due_at__lt=timezone.now() - datetime.timedelta(minutes=5))
    rows = [
        (
            pgettext_lazy("jobs", "failed"),
            counted(Job.objects.filter(state=State.FAILED)),
            f"{jobs}?state__exact={State.FAILED}",
        ),
        (_("over five minutes late"), counted(late), f"{jobs}?state__exact={State.OPEN}&o=6"),
    ]
    return Panel(_("Jobs"), rows)


admin_panels.register("jobs", jobs_panel)
