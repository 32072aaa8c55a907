"""Routes of clubs."""

from rest_framework.routers import SimpleRouter

from clubs.clubs.views import ClubViewSet

router = SimpleRouter(use_regex_path=False)
router.register("clubs", ClubViewSet, basename="club")

urlpatterns = router.urls
