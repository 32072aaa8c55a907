from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OpinionsConfig(AppConfig):
    name = "opinions"
    verbose_name = _("Opinions")

    def ready(self) -> None:
        """Load the modules that register themselves when imported."""
        from opinions import contributions, receivers  # noqa: F401
