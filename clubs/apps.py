from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ClubsConfig(AppConfig):
    """Clubs, who is in them and what they read."""

    name = "clubs"
    verbose_name = _("Clubs")

    def ready(self) -> None:
        """Load what registers by being imported, in the order of the layers."""
        from clubs import contributions, receivers  # noqa: F401

        for package in ("meetings", "ballots", "discussions"):
            import_module(f"clubs.{package}.contributions")
            import_module(f"clubs.{package}.receivers")
        import_module("clubs.meetings.tasks")
