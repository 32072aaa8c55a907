"""URLs of the club activity feed and of changes, under `/api/v1/`."""

from django.urls import path

from clubs.feed.views import ChangesView, ClubActivityView, ClubNotificationSettingsView

urlpatterns = [
    path("clubs/<int:club_id>/activity/", ClubActivityView.as_view(), name="club-activity"),
    path(
        "clubs/<int:club_id>/notification-settings/",
        ClubNotificationSettingsView.as_view(),
        name="club-notification-settings",
    ),
    path("users/me/changes/", ChangesView.as_view(), name="changes"),
]
