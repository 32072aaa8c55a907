"""System checks of the database server, run by `manage.py check --database default`."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections


@register(Tags.database)
def check_mysql_server(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Check that MariaDB and MySQL store all of Unicode and use the isolation level that is tested."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        connection: Any = connections[alias]
        if connection.vendor != "mysql":
            continue
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT @@character_set_database, @@transaction_isolation"
                if not connection.mysql_is_mariadb
                else "SELECT @@character_set_database, @@tx_isolation"
            )
            charset, isolation = cursor.fetchone()
        if charset != "utf8mb4":
            hint = "ALTER DATABASE ... CHARACTER SET utf8mb4, before creating the tables."
            found.append(
                Error(
                    f"The database '{alias}' uses the character set {charset} instead of utf8mb4.",
                    hint,
                    id="bookbridge.E001",
                )
            )
        if isolation.upper() != "READ-COMMITTED":
            found.append(
                Warning(
                    f"The database '{alias}' uses the isolation level {isolation} instead of READ-COMMITTED.",
                    id="bookbridge.W001",
                )
            )
    return found
