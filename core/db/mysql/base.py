"""Django's database backend for MariaDB and MySQL, with one statement fewer per transaction."""

from typing import Any

import MySQLdb  # type: ignore[import-untyped]
from django.db.backends.mysql import base
from django.db.backends.utils import debug_transaction


class DatabaseWrapper(base.DatabaseWrapper):
    """Begins a transaction with BEGIN instead of turning autocommit off before it and on again after it.

    Django calls `_start_transaction_under_autocommit`, its hook for SQLite, if a backend has it. Autocommit stays on,
    because the server suspends it from BEGIN to COMMIT.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Refuse a connection without TLS if TLS is required; MariaDB's driver would use it."""
        connection = super().get_new_connection(conn_params)
        if conn_params.get("ssl_mode") in ("REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"):
            with connection.cursor() as cursor:
                cursor.execute("SHOW STATUS LIKE 'Ssl_cipher'")
                cipher = cursor.fetchone()[1]
            if not cipher:
                connection.close()
                raise MySQLdb.OperationalError(2026, "the server does not use TLS, and ssl_mode requires it")
        return connection

    def _start_transaction_under_autocommit(self) -> None:
        with debug_transaction(self, "BEGIN"), self.wrap_database_errors:
            self.connection.begin()
