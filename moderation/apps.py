from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ModerationConfig(AppConfig):
    name = "moderation"
    verbose_name = _("Moderation")

    def ready(self) -> None:
        """Load the modules that register themselves when imported."""
        from moderation import contributions, receivers  # noqa: F401
