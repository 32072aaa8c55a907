from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ActivityConfig(AppConfig):
    name = "activity"
    verbose_name = _("Activity")

    def ready(self) -> None:
        """Load the modules that register themselves when imported."""
        from activity import contributions, receivers  # noqa: F401
