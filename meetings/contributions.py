"""What the meetings app contributes to `core.registry`."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, OuterRef

from accounts.models import User
from activity.choices import NotificationKind
from activity.messages import DeferredMessage, time_message
from activity.models import Notification, ObjectRef
from clubs.club.models import Club
from clubs.members.models import Membership
from core.counters.consistency import DenormalizationCheck
from core.db.prepared import prefetch_if
from core.registry import (
    activity_sources,
    club_fields,
    club_prefetches,
    column_checks,
    email_exclusions,
    email_texts,
    export_sections,
    message_renderers,
    notification_exclusions,
    notification_targets,
)
from meetings import messages
from meetings.choices import RsvpStatus
from meetings.date_polls.choices import DatePollStatus
from meetings.date_polls.models import DateAnswer, DatePoll
from meetings.export import EXPORT_SECTIONS
from meetings.messages import meeting_message
from meetings.models import COUNTS, Meeting, Rsvp
from meetings.serializers import NextMeetingField

# E-mails that tell where the meeting takes place.
KINDS_WITH_PLACE = (
    NotificationKind.MEETING_NEW,
    NotificationKind.MEETING_CHANGED,
    NotificationKind.MEETING_REMINDER,
    NotificationKind.RSVP_REMINDER,
    NotificationKind.SEAT_PROMOTED,
    NotificationKind.SEAT_AVAILABLE,
)


def _next_meeting_prefetch(user: User | AnonymousUser) -> Any:
    """Prefetch a club's next meeting, with the RSVP of `user`, as the list `next_meetings`."""
    return prefetch_if(
        "meetings",
        Meeting.objects.next_per_club().with_rsvp_of(user),
        to_attr="next_meetings",
        flag="has_next_meeting",
        condition=Exists(Meeting.objects.scheduled().filter(club=OuterRef("pk"))),
    )


def _notification_target(pk: int) -> tuple[ObjectRef, DeferredMessage] | None:
    """Return the reference to a meeting, and its time or that it is cancelled."""
    meeting = Meeting.objects.filter(pk=pk).first()
    return None if meeting is None else (meeting.object_ref, meeting_message(meeting))


def _declined_users(pk: int) -> Any:
    return Rsvp.objects.filter(meeting=pk, answer=RsvpStatus.NO).values_list("user", flat=True)


def _date_poll_target(pk: int) -> tuple[ObjectRef, DeferredMessage] | None:
    """Return the reference to a date poll, and when it closes."""
    poll = DatePoll.objects.filter(pk=pk).only("title", "closes_at", "timezone").first()
    return None if poll is None else (poll.object_ref, time_message(poll.closes_at, poll.timezone))


def _asks_for_closed_poll(notification: Notification) -> bool:
    """Return whether the notification asks for answers to a date poll that is closed or deleted."""
    if notification.kind != NotificationKind.DATE_POLL_OPENED:
        return False
    return not DatePoll.objects.filter(pk=notification.object_id or 0, status=DatePollStatus.OPEN).exists()


def _users_not_to_remind(pk: int) -> Any:
    """Return the users who have answered, or paused their membership."""
    club = Club.objects.get(meetings=pk)
    paused = Membership.objects.paused(club).values_list("user", flat=True)
    return [*Rsvp.objects.filter(meeting=pk).values_list("user", flat=True), *paused]


club_fields.register("next_meeting", NextMeetingField)
club_prefetches.register("next_meeting", _next_meeting_prefetch)
activity_sources.register("rsvp", Rsvp.objects.last_answered_at)
activity_sources.register("date_answer", DateAnswer.objects.last_answered_at)
notification_targets.register("meeting", _notification_target)
notification_targets.register("date_poll", _date_poll_target)
notification_exclusions.register(NotificationKind.MEETING_REMINDER, _declined_users)
notification_exclusions.register(NotificationKind.RSVP_REMINDER, _users_not_to_remind)
email_exclusions.register("closed date polls", _asks_for_closed_poll)
message_renderers.register_all(
    {
        "meeting.cancelled": messages.render_cancelled,
        "meeting.moved": messages.render_moved,
        "meeting.rescheduled": messages.render_rescheduled,
        "meeting.place": messages.render_place,
        "meeting.in_series": messages.render_in_series,
        "meeting.new_series": messages.render_new_series,
    }
)
email_texts.register_all(dict.fromkeys(KINDS_WITH_PLACE, messages.where))
export_sections.register_all(EXPORT_SECTIONS)
check = DenormalizationCheck("RSVPs of meetings", Meeting, dict.fromkeys(COUNTS, 0), Rsvp.objects.count_by_meeting)
column_checks.register(check.name, check)
