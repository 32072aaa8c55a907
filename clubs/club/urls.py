"""URLs of clubs."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from clubs.club.views import ClubCoverView, ClubViewSet

router = SimpleRouter(use_regex_path=False)
router.register("clubs", ClubViewSet, basename="club")

urlpatterns = [
    path("clubs/<int:club_id>/cover/", ClubCoverView.as_view(), name="club-cover"),
    *router.urls,
]
