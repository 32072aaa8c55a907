"""Routes of the catalogue, below `/api/v1/`."""

from rest_framework.routers import SimpleRouter

from catalog.views import BookViewSet

router = SimpleRouter(use_regex_path=False)
router.register("books", BookViewSet, basename="book")

urlpatterns = router.urls
