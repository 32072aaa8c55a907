"""What meetings contribute to `bookbridge.api.registry`."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Prefetch
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from activity.details import Said, said_time
from activity.kinds import Kind
from activity.models import Thing
from bookbridge.api.registry import (
    activity_sources,
    club_fields,
    club_prefetches,
    column_checks,
    export_sections,
    message_renderers,
    notification_exclusions,
    notification_targets,
)
from bookbridge.api.verification import Check
from clubs.meetings.answers import Rsvp
from clubs.meetings.export import SECTIONS
from clubs.meetings.models import COUNTS, Meeting, Status
from clubs.meetings.serializers import NextMeetingField


def _next_meeting(user: User | AnonymousUser) -> Prefetch[Any]:
    """A club's next meeting with the answer of `user`, in the list `next_meetings`."""
    return Prefetch("meetings", Meeting.objects.next_for().with_answer_of(user), to_attr="next_meetings")


def _as_it_is(pk: int) -> tuple[Thing, str | Said] | None:
    """A meeting, and when it is, or that it is cancelled."""
    meeting = Meeting.objects.filter(pk=pk).first()
    if meeting is None:
        return None
    if meeting.deleted_at is not None or meeting.status == Status.CANCELLED:
        return meeting.thing, Said("meeting.cancelled")
    return meeting.thing, said_time(meeting.starts_at, meeting.timezone)


def _who_said_no(pk: int) -> Any:
    return Meeting.objects.filter(pk=pk, answers__answer="no").values_list("answers__user", flat=True)


club_fields.register("next_meeting", NextMeetingField)
club_prefetches.register("next_meeting", _next_meeting)
activity_sources.register("rsvp", Rsvp.objects.last_given)
notification_targets.register("meeting", _as_it_is)
notification_exclusions.register(Kind.MEETING_REMINDER, _who_said_no)
message_renderers.register("meeting.cancelled", lambda about: _("it is cancelled"))
export_sections.register_all(SECTIONS)
check = Check("answers to meetings", Meeting, dict.fromkeys(COUNTS, 0), Rsvp.objects.count_by_meeting)
column_checks.register(check.name, check)
