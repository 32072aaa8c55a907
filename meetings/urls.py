"""URLs of meetings and calendars, under `/api/v1/`."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from meetings.ical_views import CalendarTokenView, ClubCalendarView, UserCalendarView
from meetings.views import AttendanceView, MeetingRsvpViewSet, MeetingViewSet, RsvpView

LIST = "clubs/<int:club_id>/meetings"
MEETING = f"{LIST}/<int:meeting_id>"

router = SimpleRouter(use_regex_path=False)
router.register(LIST, MeetingViewSet, basename="club-meeting")
router.register(f"{MEETING}/rsvps", MeetingRsvpViewSet, basename="club-meeting-rsvps")

urlpatterns = [
    *router.urls,
    path(f"{MEETING}/rsvp/", RsvpView.as_view(), name="club-meeting-rsvp"),
    path(f"{MEETING}/attendance/", AttendanceView.as_view(), name="club-meeting-attendance"),
    path("clubs/<int:club_id>/calendar.ics", ClubCalendarView.as_view(), name="club-calendar"),
    path("users/me/calendar.ics", UserCalendarView.as_view(), name="my-calendar"),
    path("users/me/calendar-token/", CalendarTokenView.as_view(), name="my-calendar-token"),
]
