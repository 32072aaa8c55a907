from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DiscussionsConfig(AppConfig):
    name = "discussions"
    verbose_name = _("Discussions")

    def ready(self) -> None:
        """Load the modules that register themselves when imported."""
        from discussions import contributions, receivers  # noqa: F401
