"""URLs of club statistics, below `/api/v1/`."""

from django.urls import path

from clubs.statistics.views import ClubStatsView

urlpatterns = [path("clubs/<int:club_id>/stats/", ClubStatsView.as_view(), name="club-stats")]
