"""Models of the meetings app."""

from meetings.models.attendance import Attendance
from meetings.models.calendar_tokens import CalendarToken
from meetings.models.meetings import (
    CANCELLED_RETENTION,
    COUNTS,
    MAX_CAPACITY,
    MAX_OCCURRENCES,
    PLACE_LENGTH,
    TEXT_LENGTH,
    TITLE_LENGTH,
    URL_LENGTH,
    Meeting,
)
from meetings.models.rsvps import RSVP_ORDER, Rsvp, RsvpQuerySet, withdraw_all_rsvps, withdraw_rsvps
from meetings.models.series import MeetingSeries
from meetings.models.times import MAX_DURATION_MINUTES

# Last, because it imports the modules above.
from meetings.date_polls.models import DateAnswer, DateChoice, DateOption, DatePoll  # isort: skip

__all__ = [
    "CANCELLED_RETENTION",
    "COUNTS",
    "MAX_CAPACITY",
    "MAX_DURATION_MINUTES",
    "MAX_OCCURRENCES",
    "PLACE_LENGTH",
    "RSVP_ORDER",
    "TEXT_LENGTH",
    "TITLE_LENGTH",
    "URL_LENGTH",
    "Attendance",
    "CalendarToken",
    "DateAnswer",
    "DateChoice",
    "DateOption",
    "DatePoll",
    "Meeting",
    "MeetingSeries",
    "Rsvp",
    "RsvpQuerySet",
    "withdraw_all_rsvps",
    "withdraw_rsvps",
]
