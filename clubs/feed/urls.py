"""URL of the club activity feed, under `/api/v1/`."""

from django.urls import path

from clubs.feed.views import ClubActivityView

urlpatterns = [path("clubs/<int:club_id>/activity/", ClubActivityView.as_view(), name="club-activity")]
