"""URLs of statistics and of the home screen, under `/api/v1/`."""

from django.urls import path

from stats.views import ClubStatsView, HomeView, PlatformStatsView, UserStatsView
from stats.year.views import ClubYearCardView, ClubYearView, UserYearCardView, UserYearView

urlpatterns = [
    path("clubs/<int:club_id>/stats/", ClubStatsView.as_view(), name="club-stats"),
    path("clubs/<int:club_id>/year/<int:year>/", ClubYearView.as_view(), name="club-year"),
    path("clubs/<int:club_id>/year/<int:year>/card.png", ClubYearCardView.as_view(), name="club-year-card"),
    path("stats/", PlatformStatsView.as_view(), name="stats"),
    path("users/me/home/", HomeView.as_view(), name="home-screen"),
    path("users/me/stats/", UserStatsView.as_view(), name="my-stats"),
    path("users/me/year/<int:year>/", UserYearView.as_view(), name="my-year"),
    path("users/me/year/<int:year>/card.png", UserYearCardView.as_view(), name="my-year-card"),
]
