"""Texts of notifications and e-mails about meetings: what has changed, when and where."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from django.apps import apps
from django.utils.translation import gettext, ngettext

from activity.dates import reader_zone
from activity.messages import DeferredMessage, parse_time, render_time, time_message
from core.search.normalize import to_single_line
from meetings.choices import MeetingStatus
from meetings.recurrence import Frequency

if TYPE_CHECKING:
    from meetings.models import Meeting


def meeting_message(meeting: Meeting) -> DeferredMessage:
    """Return a message with the time of a meeting, or that it is cancelled."""
    time = time_message(meeting.starts_at, meeting.timezone)
    is_cancelled = meeting.deleted_at is not None or meeting.status == MeetingStatus.CANCELLED
    return DeferredMessage("meeting.cancelled", time.argument) if is_cancelled else time


def change_message(meeting: Meeting, *, was: tuple[datetime.datetime, str], asks: bool) -> DeferredMessage:
    """Return a message about a change of a meeting that was at the time `was`, in its time zone.

    If `asks`, it asks the members to answer again.
    """
    message, old = meeting_message(meeting), time_message(*was)
    if message.code == "meeting.cancelled":
        return message._replace(argument=old.argument)
    if message != old:
        argument = f"{old.argument}\n{message.argument}"
        return DeferredMessage("meeting.rescheduled" if asks else "meeting.moved", argument)
    place = to_single_line(meeting.place or meeting.url)
    return DeferredMessage("meeting.place", f"{message.argument}\n{place}"[:500]) if place else message


def in_series(message: DeferredMessage, later: int) -> DeferredMessage:
    """Return the message with the number of later meetings of the series to which it applies too."""
    return DeferredMessage("meeting.in_series", f"{later} {message.code}\n{message.argument}") if later else message


def new_series(message: DeferredMessage, later: int, every: str) -> DeferredMessage:
    """Return the message about the first meeting of a series with the number of later ones and their frequency."""
    return DeferredMessage("meeting.new_series", f"{later} {every}\n{message.argument}")


def render_in_series(argument: str) -> str:
    """Return the text about a change of several meetings of a series."""
    head, _newline, inner = argument.partition("\n")
    later, _space, code = head.partition(" ")
    text = ngettext(
        "%(text)s; the same applies to %(count)d later meeting of the series",
        "%(text)s; the same applies to %(count)d later meetings of the series",
        int(later),
    )
    return text % {"text": DeferredMessage(code, inner), "count": int(later)}


def render_new_series(argument: str) -> str:
    """Return the text about a new series: the first time, the frequency and the number of later meetings."""
    head, _newline, time = argument.partition("\n")
    later, _space, every = head.partition(" ")
    text = ngettext(
        "%(time)s; then %(every)s, %(count)d more time", "%(time)s; then %(every)s, %(count)d more times", int(later)
    )
    return text % {"time": render_time(time), "every": Frequency(every).label, "count": int(later)}


def render_cancelled(argument: str) -> str:
    """Return the text about a cancelled meeting. Notifications of earlier releases do not have its time."""
    if not argument:
        return gettext("it is cancelled")
    return gettext("it is cancelled; it was planned for %(time)s") % {"time": render_time(argument)}


def render_moved(argument: str) -> str:
    """Return the text about a meeting with another time. Notifications of earlier releases have only the new one."""
    old, _newline, new = argument.rpartition("\n")
    if not old:
        return render_time(new)
    # The former time only in the meeting's zone, so that one can see at a glance which is which.
    with reader_zone(parse_time(old)[1]):
        old_time = render_time(old)
    return gettext("moved from %(old)s to %(new)s") % {"old": old_time, "new": render_time(new)}


def render_rescheduled(argument: str) -> str:
    """Return the same text, with a request to answer again."""
    return gettext("%(time)s; please say again whether you are coming") % {"time": render_moved(argument)}


def render_place(argument: str) -> str:
    """Return the text about a meeting with another place."""
    time, _newline, place = argument.partition("\n")
    return gettext("the place is now %(place)s, on %(time)s") % {"time": render_time(time), "place": place}


def where(meeting_id: int) -> str:
    """Return the place of a meeting and its address on the web for e-mails; empty if it does not take place."""
    meetings = apps.get_model("meetings", "Meeting").objects.filter(status=MeetingStatus.SCHEDULED, deleted_at=None)
    meeting = meetings.only("place", "url").filter(pk=meeting_id).first()
    if meeting is None:
        return ""
    places = filter(None, (to_single_line(meeting.place), to_single_line(meeting.url)))
    place = ", ".join(places)
    return gettext("Where: %(place)s") % {"place": place} if place else ""
