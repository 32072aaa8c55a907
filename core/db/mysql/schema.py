"""Schema changes that can be continued after an interruption.

MariaDB and MySQL cannot roll back schema changes: if `migrate` is killed within a migration, its first changes are
there and the migration is not recorded. `manage.py migrate --continue` runs it again and skips those changes.
"""

import logging
from typing import Any

from django.db import DatabaseError
from django.db.backends.mysql.schema import DatabaseSchemaEditor

logger = logging.getLogger("bookbridge.migrations")

# Errors of the servers for a change that has been made already.
ALREADY_CHANGED = {
    1005,  # MariaDB: duplicate name of a foreign key (errno 121)
    1050,  # table exists
    1051,  # unknown table, in DROP TABLE
    1054,  # unknown column, in RENAME COLUMN
    1060,  # duplicate column
    1061,  # duplicate index
    1091,  # no such column, index or foreign key, in DROP
    1146,  # no such table, in RENAME TABLE
    1176,  # no such index, in RENAME INDEX
    1826,  # duplicate name of a constraint
    3821,  # MySQL: no such check, in DROP
    3822,  # MySQL: duplicate name of a check
    3940,  # MySQL: no such constraint, in DROP
}


def is_already_changed(error: Exception) -> bool:
    """Return whether a schema change failed because it, or one after it, has been made already."""
    code = error.args[0] if error.args else None
    return code in ALREADY_CHANGED and (code != 1005 or "121" in str(error))


class ResumableSchemaEditor(DatabaseSchemaEditor):
    """A schema editor that skips changes that have already been made, while its connection is `resuming`."""

    def execute(self, sql: Any, params: Any = ()) -> None:
        """Run a statement."""
        try:
            super().execute(sql, params)
        except DatabaseError as error:
            if not (getattr(self.connection, "resuming", False) and is_already_changed(error)):
                raise
            logger.warning("skipped, because it has already been done: %s", str(sql)[:200])
