"""Models of the meetings app."""

from meetings.models.calendar_tokens import CalendarToken
from meetings.models.meetings import (
    CANCELLED_RETENTION,
    COUNTS,
    MAX_CAPACITY,
    MAX_DURATION_MINUTES,
    MAX_OCCURRENCES,
    PLACE_LENGTH,
    TEXT_LENGTH,
    TITLE_LENGTH,
    URL_LENGTH,
    Meeting,
    MeetingQuerySet,
    MeetingSeries,
    MeetingStatus,
    SeriesScope,
)
from meetings.models.rsvps import CLIENT_CHOICES, Attendance, Rsvp, RsvpStatus, withdraw_all_rsvps, withdraw_rsvps

__all__ = [
    "CANCELLED_RETENTION",
    "CLIENT_CHOICES",
    "COUNTS",
    "MAX_CAPACITY",
    "MAX_DURATION_MINUTES",
    "MAX_OCCURRENCES",
    "PLACE_LENGTH",
    "TEXT_LENGTH",
    "TITLE_LENGTH",
    "URL_LENGTH",
    "Attendance",
    "CalendarToken",
    "Meeting",
    "MeetingQuerySet",
    "MeetingSeries",
    "MeetingStatus",
    "Rsvp",
    "RsvpStatus",
    "SeriesScope",
    "withdraw_all_rsvps",
    "withdraw_rsvps",
]
