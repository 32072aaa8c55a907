"""URLs of the activity log and notifications, below `/api/v1/`."""

from django.urls import path

from activity import views

urlpatterns = [
    path("users/me/activity/", views.OwnActivityView.as_view(), name="own-activity"),
    path("users/me/notifications/", views.NotificationsView.as_view(), name="notifications"),
    path("users/me/notifications/read/", views.ReadView.as_view(), name="notifications-read"),
    path("users/me/notification-settings/", views.SettingsView.as_view(), name="notification-settings"),
]
