from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ClubsConfig(AppConfig):
    name = "clubs"
    verbose_name = _("Clubs")

    def ready(self) -> None:
        """Load the modules that register themselves when imported."""
        from clubs import contributions, receivers  # noqa: F401
