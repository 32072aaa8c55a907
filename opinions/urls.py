"""URLs of opinions, under `/api/v1/`."""

from django.urls import path

from clubs.reading.urls import ENTRY
from opinions.views import MyOpinionViewSet, OpinionViewSet

urlpatterns = [
    path(
        f"{ENTRY}/opinion/",
        MyOpinionViewSet.as_view({"get": "retrieve", "put": "update", "delete": "destroy"}),
        name="club-book-opinion",
    ),
    path(f"{ENTRY}/opinions/", OpinionViewSet.as_view({"get": "list"}), name="club-book-opinions"),
    path(f"{ENTRY}/opinions/open/", OpinionViewSet.as_view({"post": "open"}), name="club-book-opinions-open"),
]
