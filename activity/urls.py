"""URLs of the activity log and notifications, under `/api/v1/`."""

from django.urls import path

from activity import views

urlpatterns = [
    path("users/me/activity/", views.UserActivityView.as_view(), name="own-activity"),
    path("users/me/notifications/", views.NotificationListView.as_view(), name="notifications"),
    path("users/me/notifications/read/", views.MarkReadView.as_view(), name="notifications-read"),
    path("users/me/notification-settings/", views.NotificationSettingsView.as_view(), name="notification-settings"),
]
