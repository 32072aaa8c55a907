"""URLs of clubs, members and reading lists, under `/api/v1/`."""

from django.urls import include, path

urlpatterns = [
    path("", include("clubs.club.urls")),
    path("", include("clubs.members.urls")),
    path("", include("clubs.reading.urls")),
    path("", include("clubs.feed.urls")),
]
