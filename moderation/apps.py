from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ModerationConfig(AppConfig):
    """Reports, and what staff decide."""

    name = "moderation"
    verbose_name = _("Moderation")

    def ready(self) -> None:
        """Load what registers by being imported."""
        from moderation import contributions, receivers  # noqa: F401
