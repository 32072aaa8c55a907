"""Sections of a user's data export that come from meetings."""

from accounts.export import rows
from clubs.meetings.answers import Attendance, Rsvp
from clubs.meetings.models import Meeting
from clubs.meetings.tokens import CalendarToken

SECTIONS = {
    "meetings_called": lambda user: rows(Meeting.objects.filter(created_by=user), "club", "created_at"),
    "rsvps": lambda user: rows(
        Rsvp.objects.filter(user=user), "meeting", "answer", "answered_at", club="meeting__club"
    ),
    "attendance": lambda user: rows(Attendance.objects.filter(user=user), "meeting", club="meeting__club"),
    "calendar_token": lambda user: rows(CalendarToken.objects.filter(user=user), "created_at"),
}
