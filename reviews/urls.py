"""URLs of reviews, under `/api/v1/`."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from reviews.export_views import ExportCSVView
from reviews.imports.views import ImportViewSet
from reviews.views import BookReviewViewSet, ClubReviewViewSet, ReviewViewSet

router = SimpleRouter(use_regex_path=False)
router.register("reviews", ReviewViewSet, basename="review")
router.register("users/me/imports", ImportViewSet, basename="import")
router.register("books/<int:book_id>/reviews", BookReviewViewSet, basename="book-review")

urlpatterns = [
    path("users/me/export.csv", ExportCSVView.as_view(), name="export-csv"),
    *router.urls,
    path("clubs/<int:club_id>/reviews/", ClubReviewViewSet.as_view({"get": "list"}), name="club-review-list"),
]
