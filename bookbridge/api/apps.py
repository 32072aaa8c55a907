from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApiConfig(AppConfig):
    """The toolkit as a Django app: it owns the kept answers of idempotent calls, and totals."""

    name = "bookbridge.api"
    label = "api"
    verbose_name = _("Operations")

    def ready(self) -> None:
        """Register the deployment checks, name columns, and see to search indexes after migrations."""
        from bookbridge.api import checks, contributions, receivers  # noqa: F401  (they register by being imported)
        from bookbridge.api.labels import name_columns

        name_columns()
