"""Model fields that mean the same on SQLite, MariaDB and MySQL."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class KeyField(models.CharField):  # type: ignore[type-arg]
    """Text in a normal form (`bookbridge.api.text`), compared byte by byte.

    MariaDB and MySQL would find `jose` for `josé` and, with some collations, one emoji for another; `utf8mb4_bin`
    is there on both. SQLite compares bytes anyway, and knows no such collation, so `db_collation` cannot say this.
    """

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        """The column's parameters, with the binary collation where one must be named."""
        parameters = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"
        return parameters
