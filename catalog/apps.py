from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CatalogConfig(AppConfig):
    """The catalogue."""

    name = "catalog"
    verbose_name = _("Catalogue")

    def ready(self) -> None:
        """Let books be reported, and say which covers are in use."""
        from accounts.export import sections
        from bookbridge.api.pictures import folders
        from catalog.covers import COVERS, in_use
        from catalog.export import SECTIONS
        from catalog.moderation import BookTarget
        from moderation.targets import register

        register(BookTarget())
        folders[COVERS] = in_use
        sections.update(SECTIONS)
