from django.apps import AppConfig
from django.conf import settings
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _

from core.observability import metric_files

# Before a module creates a metric: commands too run without the directory, which only the server creates.
metric_files.install()


class CoreConfig(AppConfig):
    """Shared code of all apps, with its models: idempotency records, counters, tasks and the audit log."""

    name = "core"
    verbose_name = _("Operations")

    def ready(self) -> None:
        """Import the modules that register checks, receivers, lookups, tasks and admin pages, and start Sentry."""
        from core import contributions, receivers  # noqa: F401
        from core.audit import admin as audit_admin  # noqa: F401  (autodiscover loads core.admin only)
        from core.db import checks  # noqa: F401
        from core.search import lookups  # noqa: F401
        from core.tasks import admin as tasks_admin  # noqa: F401
        from core.tasks import cleanup  # noqa: F401

        autodiscover_modules("tasks")
        if settings.SENTRY_DSN:
            from core.observability import sentry

            sentry.init(settings.SENTRY_DSN, environment=settings.SENTRY_ENVIRONMENT)
