"""URLs of the catalog, under `/api/v1/`."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from catalog.views import BookCoverView, BookViewSet

router = SimpleRouter(use_regex_path=False)
router.register("books", BookViewSet, basename="book")

urlpatterns = [path("books/<int:book_id>/cover/", BookCoverView.as_view(), name="book-cover"), *router.urls]
