"""What the meetings app contributes to `core.registry`."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from activity.choices import NotificationKind
from activity.messages import DeferredMessage, time_message
from activity.models import ObjectRef
from core.counters.consistency import DenormalizationCheck
from core.db.prepared import prefetch_if
from core.registry import (
    activity_sources,
    club_fields,
    club_prefetches,
    column_checks,
    export_sections,
    message_renderers,
    notification_exclusions,
    notification_targets,
)
from meetings.choices import MeetingStatus, RsvpStatus
from meetings.export import EXPORT_SECTIONS
from meetings.models import COUNTS, Meeting, Rsvp
from meetings.serializers import NextMeetingField


def _next_meeting(user: User | AnonymousUser) -> Any:
    """Prefetch a club's next meeting, with the RSVP of `user`, as the list `next_meetings`."""
    return prefetch_if(
        "meetings",
        Meeting.objects.next_per_club().with_rsvp_of(user),
        to_attr="next_meetings",
        flag="has_next_meeting",
        condition=Exists(Meeting.objects.scheduled().filter(club=OuterRef("pk"))),
    )


def _notification_target(pk: int) -> tuple[ObjectRef, str | DeferredMessage] | None:
    """Return the reference to a meeting, and its time or that it is cancelled."""
    meeting = Meeting.objects.filter(pk=pk).first()
    if meeting is None:
        return None
    if meeting.deleted_at is not None or meeting.status == MeetingStatus.CANCELLED:
        return meeting.object_ref, DeferredMessage("meeting.cancelled")
    return meeting.object_ref, time_message(meeting.starts_at, meeting.timezone)


def _declined_users(pk: int) -> Any:
    return Rsvp.objects.filter(meeting=pk, answer=RsvpStatus.NO).values_list("user", flat=True)


club_fields.register("next_meeting", NextMeetingField)
club_prefetches.register("next_meeting", _next_meeting)
activity_sources.register("rsvp", Rsvp.objects.last_answered_at)
notification_targets.register("meeting", _notification_target)
notification_exclusions.register(NotificationKind.MEETING_REMINDER, _declined_users)
message_renderers.register("meeting.cancelled", lambda params: _("it is cancelled"))
export_sections.register_all(EXPORT_SECTIONS)
check = DenormalizationCheck("RSVPs of meetings", Meeting, dict.fromkeys(COUNTS, 0), Rsvp.objects.count_by_meeting)
column_checks.register(check.name, check)
