from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StatsConfig(AppConfig):
    name = "stats"
    verbose_name = _("Statistics")

    def ready(self) -> None:
        """Load the modules that register themselves when imported."""
        from stats import contributions, receivers  # noqa: F401
