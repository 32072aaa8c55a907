"""URLs of ballots, under `/api/v1/`."""

from rest_framework.routers import SimpleRouter

from ballots.views import BallotViewSet

router = SimpleRouter(use_regex_path=False)
router.register("clubs/<int:club_id>/ballots", BallotViewSet, basename="club-ballot")

urlpatterns = router.urls
