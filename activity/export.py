"""Sections of the account export: events, notifications and notification settings."""

from accounts.export import Section, iter_rows, iter_serialized
from accounts.models import User
from activity.choices import CHANNELS
from activity.digests.models import EmailDigest
from activity.models import ClubNotificationPreference, Event, Notification, NotificationPreference
from activity.push.models import Device
from activity.serializers import EventSerializer, NotificationSerializer


def activity_section(user: User) -> Section:
    """Return the events of the user's own activity log."""
    return iter_serialized(Event.objects.for_user(user).for_serializer(user), EventSerializer)


def notifications(user: User) -> Section:
    """Return the notifications that the user may see now, in the app or by e-mail."""
    return iter_serialized(Notification.objects.visible_to(user).for_serializer(user), NotificationSerializer)


EXPORT_SECTIONS = {
    "activity": activity_section,
    "notifications": notifications,
    "notification_settings": lambda user: iter_rows(
        NotificationPreference.objects.filter(user=user), "kind", *CHANNELS
    ),
    "club_notification_settings": lambda user: iter_rows(
        ClubNotificationPreference.objects.filter(user=user), "club", "kind", *CHANNELS
    ),
    "daily_emails": lambda user: iter_rows(EmailDigest.objects.filter(user=user), "club", "topic", "sent_at", "due_at"),
    "devices": lambda user: iter_rows(
        Device.objects.filter(session__user=user), "kind", "token", "name", "app_version", "created_at", "session"
    ),
}
