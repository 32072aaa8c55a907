from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The toolkit as a Django app: it owns one table, the kept answers of idempotent calls."""

    name = "bookbridge.api"
    label = "api"
    verbose_name = "API"

    def ready(self) -> None:
        """Register the deployment checks."""
        from bookbridge.api import checks  # noqa: F401  (registers by being imported)
