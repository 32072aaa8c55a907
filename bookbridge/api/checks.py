"""What `manage.py check --database default` finds out about the server before readers do."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections


@register(Tags.database)
def check_server(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """MariaDB and MySQL must keep every character, and must not be older than what the product is tested on."""
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
            hint = "ALTER DATABASE ... CHARACTER SET utf8mb4, before the tables are made."
            found.append(
                Error(f"The database '{alias}' keeps text as {charset}, not utf8mb4.", hint, id="bookbridge.E001")
            )
        if isolation.upper() != "READ-COMMITTED":
            found.append(Warning(f"The database '{alias}' runs at {isolation}.", id="bookbridge.W001"))
    return found
