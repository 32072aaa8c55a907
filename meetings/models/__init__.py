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
    MeetingSeries,
)
from meetings.models.rsvps import Attendance, Rsvp, withdraw_all_rsvps, withdraw_rsvps

__all__ = [
    "CANCELLED_RETENTION",
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
    "MeetingSeries",
    "Rsvp",
    "withdraw_all_rsvps",
    "withdraw_rsvps",
]
