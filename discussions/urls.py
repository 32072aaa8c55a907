"""URLs of discussions, under `/api/v1/`."""

from rest_framework.routers import SimpleRouter

from discussions.views import PostViewSet, ThreadPostViewSet, ThreadViewSet

THREADS = "clubs/<int:club_id>/threads"

router = SimpleRouter(use_regex_path=False)
router.register(THREADS, ThreadViewSet, basename="club-thread")
# Posts are available under their thread and under their club, with the same rules.
router.register(f"{THREADS}/<int:thread_id>/posts", ThreadPostViewSet, basename="club-thread-post")
router.register("clubs/<int:club_id>/posts", PostViewSet, basename="club-post")

urlpatterns = router.urls
