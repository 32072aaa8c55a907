from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class ApiConfig(AppConfig):
    """The toolkit as a Django app: it owns the kept answers of idempotent calls, and totals."""

    name = "bookbridge.api"
    label = "api"
    verbose_name = _("Operations")

    def ready(self) -> None:
        """Register the deployment checks, name columns, and see to search indexes after migrations."""
        from bookbridge.api import checks, contributions, receivers  # noqa: F401  (they register by being imported)
        from bookbridge.api.audit import admin as audit_admin  # noqa: F401  (autodiscover looks in api/admin only)
        from bookbridge.api.labels import name_columns
        from bookbridge.api.tasks import admin as tasks_admin  # noqa: F401
        from bookbridge.api.tasks import cleanup  # noqa: F401  (registers its periodic task)

        autodiscover_modules("tasks")
        name_columns()
