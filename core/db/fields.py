"""Model fields that behave the same on SQLite, MariaDB and MySQL."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class BinaryCollationMixin(models.Field):  # type: ignore[type-arg]
    """Mixin for normalized text (see `core.search.normalize`) that is compared bytewise.

    By default, MariaDB and MySQL treat `jose` and `josé` as equal, and with some collations even different emoji. Both
    have `utf8mb4_bin`. SQLite compares bytes anyway and does not know that collation, so `db_collation` cannot be used.
    """

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        """Return the column's parameters, with the binary collation on MariaDB and MySQL."""
        parameters = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"
        return parameters


class BinaryCollationCharField(BinaryCollationMixin, models.CharField):  # type: ignore[type-arg]
    """A CharField that is compared bytewise."""
