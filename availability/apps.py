from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AvailabilityConfig(AppConfig):
    name = "availability"
    verbose_name = _("Availability")

    def ready(self) -> None:
        """Load the modules that register themselves when imported."""
        from availability import contributions, receivers  # noqa: F401
