from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """The catalogue."""

    name = "catalog"
    verbose_name = "Catalogue"
