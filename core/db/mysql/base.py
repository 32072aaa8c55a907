"""Django's database backend for MariaDB and MySQL, with one statement fewer per transaction."""

from typing import Any

import MySQLdb  # type: ignore[import-untyped]
from django.db.backends.mysql import base
from django.db.backends.utils import debug_transaction

from core.db.mysql.schema import ResumableSchemaEditor

NO_DEFAULT_VALUE = 1364


class CursorWrapper(base.CursorWrapper):
    """Django's cursor, for which a column without a value is no conflict with another row.

    A server of the former release may write to a table that has a new column by now.
    """

    def execute(self, query: str, args: Any = None) -> Any:
        """Run a statement."""
        try:
            return super().execute(query, args)
        except MySQLdb.IntegrityError as error:
            if error.args[0] == NO_DEFAULT_VALUE:
                raise MySQLdb.OperationalError(*error.args) from None
            raise


class DatabaseWrapper(base.DatabaseWrapper):
    """Begins a transaction with BEGIN instead of turning autocommit off before it and on again after it.

    Django calls `_start_transaction_under_autocommit`, its hook for SQLite, if a backend has it. Autocommit stays on,
    because the server suspends it from BEGIN to COMMIT.
    """

    SchemaEditorClass = ResumableSchemaEditor
    # Whether schema changes that have already been made are skipped.
    resuming = False

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

    def create_cursor(self, name: str | None = None) -> CursorWrapper:
        """Return a cursor."""
        return CursorWrapper(self.connection.cursor())

    def _start_transaction_under_autocommit(self) -> None:
        with debug_transaction(self, "BEGIN"), self.wrap_database_errors:
            self.connection.begin()
