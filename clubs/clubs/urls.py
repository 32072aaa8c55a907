"""URLs of clubs."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from clubs.clubs.views import ClubViewSet, CoverView

router = SimpleRouter(use_regex_path=False)
router.register("clubs", ClubViewSet, basename="club")

urlpatterns = [
    path("clubs/<int:club_id>/cover/", CoverView.as_view(), name="club-cover"),
    *router.urls,
]
