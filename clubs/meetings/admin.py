"""Meetings in the admin: looked at by staff, who may cancel and remove them; the rest is the clubs' own."""

from contextlib import suppress
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.authentication import caller
from clubs.meetings.models import Meeting, Status
from clubs.reading.admin import OfClubAdmin
from clubs.shown import said

title, place, url, agenda, notes = (said(Meeting, name) for name in ("title", "place", "url", "agenda", "notes"))


class RemovedFilter(admin.SimpleListFilter):
    """Whether a meeting was removed: such a row stays for calendars, for 30 days."""

    title = pgettext_lazy("meetings", "removed")
    parameter_name = "removed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Those that stand are shown where nothing is chosen."""
        return [("yes", pgettext_lazy("meetings", "removed")), ("all", pgettext_lazy("meetings", "all"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """As chosen."""
        return {"yes": queryset.filter(deleted_at__isnull=False), "all": queryset}.get(
            self.value() or "", queryset.filter(deleted_at=None)
        )


@admin.register(Meeting)
class MeetingAdmin(OfClubAdmin):
    """Clubs' meetings. Who answered what is not shown, nor what private clubs say of theirs."""

    list_display = ("id", "club", title, "starts_at", "timezone", "status", "capacity", "yes", "waitlisted")
    list_filter = ("status", RemovedFilter)
    beside = ("club",)
    fields = (
        *("club", "series", title, "starts_at", "timezone", "duration_minutes", place, url, "entry", agenda),
        *(notes, "capacity", "status", "yes", "maybe", "no", "waitlisted", "attended_count"),
        *("created_by", "created_at", "updated_at", "cancelled_at", "deleted_at"),
    )
    actions = ("cancel", "remove")

    @admin.action(description=_("Cancel these meetings"), permissions=["act"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Meeting]) -> None:
        """As a moderator of the club would."""
        self._each(request, queryset, lambda meeting, by: meeting.change(by=by, status=Status.CANCELLED))

    @admin.action(description=_("Remove these meetings"), permissions=["act"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Meeting]) -> None:
        """As a moderator of the club would."""
        self._each(request, queryset, lambda meeting, by: meeting.remove(by=by))

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Who may change meetings here."""
        return request.user.has_perm("clubs.change_meeting")

    def _each(self, request: HttpRequest, queryset: QuerySet[Meeting], act: Any) -> None:
        done = 0
        for meeting in (
            Meeting.objects.filter(pk__in=queryset.values("pk")).select_related("club").order_by("club", "pk")
        ):
            with suppress(Http404):
                act(meeting, caller(request))
                done += 1
        self.message_user(request, _("Meetings changed: %(count)d.") % {"count": done})
