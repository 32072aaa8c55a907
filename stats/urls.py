"""URLs of statistics and of the home screen, under `/api/v1/`."""

from django.urls import path

from stats.views import ClubStatsView, HomeView, PlatformStatsView, UserStatsView

urlpatterns = [
    path("clubs/<int:club_id>/stats/", ClubStatsView.as_view(), name="club-stats"),
    path("stats/", PlatformStatsView.as_view(), name="stats"),
    path("users/me/home/", HomeView.as_view(), name="home-screen"),
    path("users/me/stats/", UserStatsView.as_view(), name="my-stats"),
]
