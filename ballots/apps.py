from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BallotsConfig(AppConfig):
    name = "ballots"
    verbose_name = _("Ballots")

    def ready(self) -> None:
        """Load the modules that register themselves when imported."""
        from ballots import contributions, receivers  # noqa: F401
