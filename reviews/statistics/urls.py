"""URLs of statistics, below `/api/v1/`."""

from django.urls import path

from clubs.clubs.home import HomeView
from reviews.statistics.views import PlatformStatsView, ReaderStatsView

urlpatterns = [
    path("stats/", PlatformStatsView.as_view(), name="stats"),
    path("users/me/home/", HomeView.as_view(), name="home-screen"),
    path("users/me/stats/", ReaderStatsView.as_view(), name="my-stats"),
]
