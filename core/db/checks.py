"""System checks of the database server, run by `manage.py check --database default`."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections


@register(Tags.database)
def check_mysql_server(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Check that MariaDB and MySQL store all of Unicode and use the isolation level that is tested."""
    aliases = [alias for alias in databases or [] if connections[alias].vendor == "mysql"]
    return [message for alias in aliases for message in _check_server(alias)]


def _check_server(alias: str) -> list[CheckMessage]:
    charset, isolation = _server_variables(alias)
    messages: list[CheckMessage] = []
    if charset != "utf8mb4":
        text = f"The database '{alias}' uses the character set {charset} instead of utf8mb4."
        hint = "ALTER DATABASE ... CHARACTER SET utf8mb4, before creating the tables."
        messages.append(Error(text, hint, id="bookbridge.E001"))
    if isolation.upper() != "READ-COMMITTED":
        text = f"The database '{alias}' uses the isolation level {isolation} instead of READ-COMMITTED."
        messages.append(Warning(text, id="bookbridge.W001"))
    return messages


def _server_variables(alias: str) -> tuple[str, str]:
    """Return the character set and the isolation level of a connection."""
    connection: Any = connections[alias]
    variable = "tx_isolation" if connection.mysql_is_mariadb else "transaction_isolation"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT @@character_set_database, @@{variable}")
        charset, isolation = cursor.fetchone()
    return charset, isolation
