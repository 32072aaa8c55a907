"""URLs of availability, under `/api/v1/`."""

from django.urls import path

from availability.views import AccessView, MyAccessViewSet
from clubs.reading.urls import ENTRY

urlpatterns = [
    path(f"{ENTRY}/access/", AccessView.as_view(), name="club-book-access"),
    path(
        f"{ENTRY}/access/mine/",
        MyAccessViewSet.as_view({"get": "retrieve", "put": "update", "delete": "destroy"}),
        name="club-book-access-mine",
    ),
    path(f"{ENTRY}/access/lent/", MyAccessViewSet.as_view({"put": "lend"}), name="club-book-access-lent"),
]
