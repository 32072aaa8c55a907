from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CatalogConfig(AppConfig):
    """The catalogue."""

    name = "catalog"
    verbose_name = "Catalogue"

    def ready(self) -> None:
        """See to the search index after migrations: on SQLite a later one may have dropped its triggers."""
        post_migrate.connect(_mend_search_index, sender=self)


def _mend_search_index(using: str, **kwargs: Any) -> None:
    from catalog.search import mend_sqlite_index

    mend_sqlite_index(using)
