"""URLs of the activity log and notifications, under `/api/v1/`."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from activity import views
from activity.push.views import DeviceViewSet, VapidKeyView

router = SimpleRouter(use_regex_path=False)
router.register("users/me/devices", DeviceViewSet, basename="device")

urlpatterns = [
    path("users/me/activity/", views.UserActivityView.as_view(), name="own-activity"),
    path("users/me/notifications/", views.NotificationListView.as_view(), name="notifications"),
    path("users/me/notifications/<int:notification_id>/", views.NotificationView.as_view(), name="notification"),
    path("users/me/notifications/read/", views.MarkReadView.as_view(), name="notifications-read"),
    path("users/me/notification-settings/", views.NotificationSettingsView.as_view(), name="notification-settings"),
    path("notifications/unsubscribe/", views.UnsubscribeView.as_view(), name="unsubscribe"),
    path("push/vapid-key/", VapidKeyView.as_view(), name="vapid-key"),
    path("", include(router.urls)),
]
