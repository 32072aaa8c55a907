from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ActivityConfig(AppConfig):
    """What happened, and who is told of it."""

    name = "activity"
    verbose_name = _("Activity")

    def ready(self) -> None:
        """Load what registers by being imported."""
        from activity import contributions, mail, receivers  # noqa: F401
