"""URLs of reading lists, under `/api/v1/`."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from clubs.reading.sections.views import SectionsView
from clubs.reading.views import EntryViewSet, MilestoneViewSet, ProgressViewSet

LIST = "clubs/<int:club_id>/books"
ENTRY = f"{LIST}/<int:entry_id>"

router = SimpleRouter(use_regex_path=False)
router.register(LIST, EntryViewSet, basename="club-book")
router.register(f"{ENTRY}/milestones", MilestoneViewSet, basename="club-book-milestone")

urlpatterns = [
    *router.urls,
    path(
        f"{ENTRY}/progress/",
        ProgressViewSet.as_view({"get": "list", "put": "update", "delete": "destroy"}),
        name="club-book-progress",
    ),
    path(f"{ENTRY}/sections/", SectionsView.as_view(), name="club-book-sections"),
    path(f"{ENTRY}/progress/mine/", ProgressViewSet.as_view({"get": "mine"}), name="club-book-progress-mine"),
]
