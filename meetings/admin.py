"""Admin of meetings and date polls. Read-only, except that staff may cancel and delete meetings."""

from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.authentication import current_user
from clubs.admin_redaction import redacted_column
from clubs.reading.admin import ClubChildAdmin
from meetings.choices import MeetingStatus
from meetings.date_polls.models import DatePoll
from meetings.models import Meeting

title, place, url, agenda, notes = (
    redacted_column(Meeting, name) for name in ("title", "place", "url", "agenda", "notes")
)


class RemovedFilter(admin.SimpleListFilter):
    """Filter by deletion. Deleted meetings stay for 30 days, so that calendars show them as cancelled."""

    title = pgettext_lazy("meetings", "deleted")
    parameter_name = "removed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", pgettext_lazy("meetings", "deleted")), ("all", pgettext_lazy("meetings", "all"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return {"yes": queryset.filter(deleted_at__isnull=False), "all": queryset}.get(
            self.value() or "", queryset.filter(deleted_at=None)
        )


@admin.register(Meeting)
class MeetingAdmin(ClubChildAdmin):
    """Admin of meetings. Single RSVPs and the texts of private clubs are not shown."""

    list_display = ("id", "club", title, "starts_at", "timezone", "status", "capacity", "yes", "waitlisted")
    list_filter = ("status", RemovedFilter)
    list_prefetch_related = ("club",)
    fields = (
        *("club", "series", title, "starts_at", "timezone", "duration_minutes", place, url, "entry", agenda),
        *(notes, "capacity", "status", "yes", "maybe", "no", "waitlisted", "unconfirmed"),
        *("others_attended", "attended_count"),
        *("created_by", "created_at", "updated_at", "cancelled_at", "deleted_at"),
    )
    actions = ("cancel", "remove")

    @admin.action(description=_("Cancel selected meetings"), permissions=["manage"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Meeting]) -> None:
        self._apply_to_each(
            request, queryset, lambda meeting, by: meeting.update_meeting(by=by, status=MeetingStatus.CANCELLED)
        )

    @admin.action(description=_("Delete selected meetings"), permissions=["manage"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Meeting]) -> None:
        self._apply_to_each(request, queryset, lambda meeting, by: meeting.delete_meeting(by=by))

    def has_manage_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("meetings.change_meeting")

    def _apply_to_each(self, request: HttpRequest, queryset: QuerySet[Meeting], action: Any) -> None:
        changed = 0
        meetings = Meeting.objects.filter(pk__in=queryset.values("pk"))
        for meeting in meetings.select_related("club").order_by("club", "pk"):
            with suppress(Http404):
                action(meeting, current_user(request))
                changed += 1
        self.message_user(request, _("Meetings changed: %(count)d.") % {"count": changed})


poll_title, poll_place, poll_url = (redacted_column(DatePoll, name) for name in ("title", "place", "url"))


@admin.register(DatePoll)
class DatePollAdmin(ClubChildAdmin):
    """Admin of date polls, read-only. Single answers and the texts of private clubs are not shown."""

    list_display = ("id", "club", poll_title, "status", "closes_at", "outcome", "meeting", "created_by", "created_at")
    list_filter = ("status",)
    list_prefetch_related = ("club", "meeting", "created_by")
    fields = (
        *("club", poll_title, "timezone", "duration_minutes", poll_place, poll_url, "entry", "capacity"),
        *("closes_at", "status", "outcome", "meeting", "dates", "created_by", "created_at", "closed_at"),
    )
    readonly_fields = ("dates",)

    @admin.display(description=_("dates"))
    def dates(self, poll: DatePoll) -> Any:
        """Return one line per date, with how many members it suits."""
        zone = ZoneInfo(poll.timezone)
        options: Any = poll.options.with_counts()
        lines = [
            [f"{date_format(localtime(option.starts_at, zone), 'DATETIME_FORMAT')}: {option.yes} / {option.maybe}"]
            for option in options
        ]
        return format_html_join("", "<p>{}</p>", lines)
