"""URLs of readings, under `/api/v1/`."""

from rest_framework.routers import SimpleRouter

from readings.views import ReadingViewSet

router = SimpleRouter(use_regex_path=False)
router.register("users/me/readings", ReadingViewSet, basename="reading")

urlpatterns = router.urls
