"""URLs of all subpackages, below `/api/v1/`."""

from django.urls import include, path

urlpatterns = [
    path("", include("clubs.clubs.urls")),
    path("", include("clubs.meetings.urls")),
    path("", include("clubs.members.urls")),
    path("", include("clubs.reading.urls")),
    path("", include("clubs.ballots.urls")),
    path("", include("clubs.discussions.urls")),
    path("", include("clubs.statistics.urls")),
    path("", include("clubs.feed.urls")),
]
