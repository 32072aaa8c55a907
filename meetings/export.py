"""Sections of a user's data export that come from meetings."""

from accounts.export import iter_rows
from meetings.models import Attendance, CalendarToken, Meeting, Rsvp

EXPORT_SECTIONS = {
    "meetings_created": lambda user: iter_rows(Meeting.objects.filter(created_by=user), "club", "created_at"),
    "rsvps": lambda user: iter_rows(
        Rsvp.objects.filter(user=user), "meeting", "answer", "answered_at", club="meeting__club"
    ),
    "attendance": lambda user: iter_rows(Attendance.objects.filter(user=user), "meeting", club="meeting__club"),
    "calendar_token": lambda user: iter_rows(CalendarToken.objects.filter(user=user), "created_at"),
}
