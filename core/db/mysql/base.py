"""Django's database backend for MariaDB and MySQL, with one statement fewer per transaction."""

from django.db.backends.mysql import base
from django.db.backends.utils import debug_transaction


class DatabaseWrapper(base.DatabaseWrapper):
    """Begins a transaction with BEGIN instead of turning autocommit off before it and on again after it.

    Django calls the method below, its hook for SQLite, if a backend has it. Autocommit stays on, because the server
    suspends it from BEGIN to COMMIT.
    """

    def _start_transaction_under_autocommit(self) -> None:
        with debug_transaction(self, "BEGIN"), self.wrap_database_errors:
            self.connection.begin()
