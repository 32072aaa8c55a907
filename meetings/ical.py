"""iCalendar files of meetings (RFC 5545). The same rows always give the same bytes, so that ETags match."""

from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from icalendar import Calendar, Event, Timezone, TimezoneDaylight, TimezoneStandard, vDuration, vText

from accounts.models import User
from clubs.members.models import Membership
from meetings.choices import MeetingStatus, RsvpStatus
from meetings.models import CANCELLED_RETENTION, Meeting
from meetings.querysets import MeetingQuerySet

# Past meetings in a calendar, and the limit for all of them; see `MeetingQuerySet.by_proximity`.
HISTORY = datetime.timedelta(days=366)
MAX_EVENTS = 500
REFRESH_INTERVAL = datetime.timedelta(hours=1)
DAY = datetime.timedelta(days=1)


def club_calendar(clubs: Iterable[int], user: User, *, name: str) -> bytes:
    """Return the calendar of `clubs` for `user`, who must be a member of all of them. Takes two queries."""
    return render(_listed_meetings().filter(club__in=clubs).with_rsvp_of(user), name=name)


def user_calendar(user: User) -> bytes:
    """Return the calendar of every club that `user` is a member of."""
    clubs = Membership.objects.active().filter(user=user).values_list("club", flat=True)
    return club_calendar(list(clubs), user, name="BookBridge")


def _listed_meetings() -> MeetingQuerySet:
    """Return upcoming and last year's meetings, with cancelled and deleted ones for 30 days."""
    since = timezone.now() - CANCELLED_RETENTION
    scheduled = Q(deleted_at=None, status=MeetingStatus.SCHEDULED, starts_at__gt=timezone.now() - HISTORY)
    cancelled = Q(deleted_at=None, status=MeetingStatus.CANCELLED, cancelled_at__gt=since)
    return Meeting.objects.filter(scheduled | cancelled | Q(deleted_at__gt=since)).select_related("club", "entry__book")


def render(meetings: MeetingQuerySet, *, name: str) -> bytes:
    """Return the iCalendar file, with a VTIMEZONE for every time zone in it."""
    rows = sorted(meetings.by_proximity()[:MAX_EVENTS], key=lambda meeting: (meeting.starts_at, meeting.pk))
    calendar = Calendar()
    calendar.add("prodid", "-//BookBridge//BookBridge//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("x-wr-calname", vText(_clean(name)))
    # RFC 7986; Outlook reads the second one.
    calendar.add("refresh-interval", REFRESH_INTERVAL, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH_INTERVAL))
    for zone in _timezones(rows):
        calendar.add_component(zone)
    for meeting in rows:
        calendar.add_component(_event(meeting))
    return bytes(calendar.to_ical())


def _event(meeting: Meeting) -> Event:
    is_cancelled = meeting.status == MeetingStatus.CANCELLED or meeting.deleted_at is not None
    answer = meeting.own_rsvps[0].answer if meeting.own_rsvps else None  # type: ignore[attr-defined]
    event = Event()
    event.add("uid", str(meeting.uid))
    event.add("sequence", meeting.sequence)
    # Without METHOD, DTSTAMP is the last modification (RFC 5545, 3.8.7.2); this also keeps the bytes stable.
    event.add("dtstamp", meeting.updated_at.replace(microsecond=0))
    event.add("last-modified", meeting.updated_at.replace(microsecond=0))
    event.add("created", meeting.created_at.replace(microsecond=0))
    starts, ends = _start_and_end(meeting)
    event.add("dtstart", starts)
    event.add("dtend", ends)
    event.add("summary", _clean(meeting.title))
    event.add("status", "CANCELLED" if is_cancelled else "CONFIRMED")
    event.add("transp", "OPAQUE" if answer == RsvpStatus.YES and not is_cancelled else "TRANSPARENT")
    event.add("url", meeting.url or f"{settings.APP_URL}/clubs/{meeting.club_id}/meetings/{meeting.pk}")
    event.add("description", _clean(_description(meeting)))
    if meeting.place or meeting.url:
        event.add("location", _clean(meeting.place or meeting.url))
    return event


def _description(meeting: Meeting) -> str:
    lines = [meeting.club.name]
    if meeting.entry:
        lines.append(f"{meeting.entry.book.title} ({meeting.entry.book.author})")
    return "\n".join([*lines, *filter(None, [meeting.url, meeting.agenda])])


def _start_and_end(meeting: Meeting) -> tuple[datetime.datetime, datetime.datetime]:
    """Return start and end in local time, or in UTC where the local time is ambiguous (RFC 5545, 3.3.5)."""
    moments = [moment.replace(microsecond=0) for moment in (meeting.starts_at, meeting.ends_at)]
    if meeting.timezone != "UTC":
        local = [moment.astimezone(ZoneInfo(meeting.timezone)) for moment in moments]
        moments = moments if any(moment.fold for moment in local) else local
    return moments[0], moments[1]


def _clean(text: str) -> str:
    """Remove the control characters that iCalendar text may not contain."""
    lines = "\n".join(text.splitlines())
    return "".join(c for c in lines if c in "\n\t" or unicodedata.category(c) != "Cc")


def _timezones(meetings: Sequence[Meeting]) -> Iterator[Timezone]:
    """Yield each time zone, with its rules from a day before its first meeting to a day after the last."""
    used: dict[str, list[datetime.datetime]] = {}
    for meeting in meetings:
        if meeting.timezone != "UTC":
            used.setdefault(meeting.timezone, []).extend([meeting.starts_at, meeting.ends_at])
    for name, moments in sorted(used.items()):
        yield _zone(ZoneInfo(name), min(moments).replace(microsecond=0) - DAY, max(moments) + DAY)


def _zone(zone: ZoneInfo, first: datetime.datetime, last: datetime.datetime) -> Timezone:
    """Return the VTIMEZONE of `zone` with its transitions between `first` and `last`.

    `Timezone.from_tzinfo` of icalendar starts summer time in London an hour late.
    """
    component = Timezone()
    component.add("tzid", zone.key)
    component.add_component(_observance(zone, first, first))
    for transition in _transitions(zone, first, last):
        component.add_component(_observance(zone, transition, transition - datetime.timedelta(seconds=1)))
    return component


def _observance(
    zone: ZoneInfo, at: datetime.datetime, before: datetime.datetime
) -> TimezoneStandard | TimezoneDaylight:
    """Return the rules from `at` on. The start is in local time with the offset at `before` (RFC 5545, 3.6.5)."""
    local = at.astimezone(zone)
    component = TimezoneDaylight() if local.dst() else TimezoneStandard()
    offset = before.astimezone(zone).utcoffset() or datetime.timedelta()
    component.add("dtstart", (at + offset).replace(tzinfo=None))
    component.add("tzoffsetfrom", offset)
    component.add("tzoffsetto", local.utcoffset() or datetime.timedelta())
    component.add("tzname", local.tzname() or zone.key)
    return component


def _transitions(zone: ZoneInfo, first: datetime.datetime, last: datetime.datetime) -> Iterator[datetime.datetime]:
    """Yield the moments at which the offset of the zone, or its name, changes."""
    day = first
    while day < last:
        following = min(day + 7 * DAY, last)
        if _rule(zone, day) != _rule(zone, following):
            yield _find_transition(zone, day, following)
        day = following


def _find_transition(zone: ZoneInfo, before: datetime.datetime, after: datetime.datetime) -> datetime.datetime:
    """Return the first second whose rules differ from those at `before`, by bisection."""
    low, high = int(before.timestamp()), int(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        same = _rule(zone, datetime.datetime.fromtimestamp(middle, datetime.UTC)) == _rule(zone, before)
        low, high = (middle, high) if same else (low, middle)
    return datetime.datetime.fromtimestamp(high, datetime.UTC)


def _rule(zone: ZoneInfo, at: datetime.datetime) -> tuple[object, ...]:
    local = at.astimezone(zone)
    return local.utcoffset(), local.dst(), local.tzname()
