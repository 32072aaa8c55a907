from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ActivityConfig(AppConfig):
    """What happened, and who is told of it."""

    name = "activity"
    verbose_name = _("Activity")

    def ready(self) -> None:
        """Hear of what happens to accounts, and part those that go from the log."""
        from accounts import departure, happenings
        from accounts.export import sections
        from activity import listening
        from activity.export import SECTIONS
        from activity.models import Notification
        from bookbridge.api.tasks.cleanup import register_cleanup

        listening.listen()
        happenings.listeners.append(listening.note)
        register_cleanup("notifications", lambda: Notification.objects.expired())
        departure.last_parts.append(listening.forget)
        sections.update(SECTIONS)
