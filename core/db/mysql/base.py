"""Django's database backend for MariaDB and MySQL, with one statement fewer per transaction."""

from django.db.backends.mysql import base
from django.db.backends.utils import debug_transaction


class DatabaseWrapper(base.DatabaseWrapper):
    """Begins a transaction with BEGIN, so that COMMIT is the only other statement.

    Django turns autocommit off before a transaction and on again after it. The method is the hook by which it begins
    transactions on SQLite; the server's autocommit stays on, which does not apply inside a transaction.
    """

    def _start_transaction_under_autocommit(self) -> None:
        with debug_transaction(self, "BEGIN"), self.wrap_database_errors:
            self.connection.begin()
