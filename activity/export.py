"""Sections of the account export: events, notifications and notification settings."""

from accounts.export import Section, answers, rows
from accounts.models import User
from activity.models import Event, Notification, Preference
from activity.serializers import EventSerializer, NotificationSerializer


def own_log(user: User) -> Section:
    """Return the events of the user's own activity log."""
    return answers(Event.objects.of_reader(user).for_answer(user), EventSerializer)


def notifications(user: User) -> Section:
    """Return the notifications that the user may see now, in the app or by e-mail."""
    return answers(Notification.objects.visible_to(user).for_answer(user), NotificationSerializer)


SECTIONS = {
    "activity": own_log,
    "notifications": notifications,
    "notification_settings": lambda user: rows(Preference.objects.filter(user=user), "kind", "app", "email"),
}
