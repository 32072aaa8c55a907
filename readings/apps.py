from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReadingsConfig(AppConfig):
    """What users have read, and when: in clubs, from imports, or on their own."""

    name = "readings"
    verbose_name = _("Readings")

    def ready(self) -> None:
        """Register contributions and receivers."""
        from readings import contributions, receivers  # noqa: F401
