"""What the meetings app contributes to `core.registry`."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from activity.choices import NotificationKind
from activity.messages import DeferredMessage, render_time, time_message
from activity.models import ObjectRef
from clubs.club.models import Club
from clubs.members.models import Membership
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
from meetings.date_polls.models import DateAnswer, DatePoll
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


def _date_poll_target(pk: int) -> tuple[ObjectRef, str] | None:
    """Return the reference to a date poll."""
    poll = DatePoll.objects.filter(pk=pk).only("title").first()
    return None if poll is None else (poll.object_ref, "")


def _rescheduled_target(pk: int) -> tuple[ObjectRef, str | DeferredMessage] | None:
    """Return the same, with a request to answer again."""
    target = _notification_target(pk)
    if target is None or not isinstance(target[1], DeferredMessage) or target[1].code != "time":
        return target
    return target[0], DeferredMessage("meeting.rescheduled", target[1].argument)


def _render_rescheduled(argument: str) -> str:
    return gettext("%(time)s; please say again whether you are coming") % {"time": render_time(argument)}


def _members_not_reminded(pk: int) -> Any:
    """Return the users who have answered, or paused their membership."""
    club = Club.objects.get(meetings=pk)
    paused = Membership.objects.paused(club).values_list("user", flat=True)
    return [*Rsvp.objects.filter(meeting=pk).values_list("user", flat=True), *paused]


club_fields.register("next_meeting", NextMeetingField)
club_prefetches.register("next_meeting", _next_meeting)
activity_sources.register("rsvp", Rsvp.objects.last_answered_at)
activity_sources.register("date_answer", DateAnswer.objects.last_answered_at)
notification_targets.register("meeting", _notification_target)
notification_targets.register("rescheduled_meeting", _rescheduled_target)
notification_targets.register("date_poll", _date_poll_target)
notification_exclusions.register(NotificationKind.MEETING_REMINDER, _declined_users)
notification_exclusions.register(NotificationKind.RSVP_REMINDER, _members_not_reminded)
message_renderers.register("meeting.cancelled", lambda params: _("it is cancelled"))
message_renderers.register("meeting.rescheduled", _render_rescheduled)
export_sections.register_all(EXPORT_SECTIONS)
check = DenormalizationCheck("RSVPs of meetings", Meeting, dict.fromkeys(COUNTS, 0), Rsvp.objects.count_by_meeting)
column_checks.register(check.name, check)
