"""Fast flushes: restore the rows that `post_migrate` creates, instead of sending the signal after each test.

Creating content types, permissions and roles one by one takes longer than most tests that need a flush.
"""

from collections.abc import Iterator

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.management.sql import emit_post_migrate_signal
from django.db import connections, transaction
from django.utils import translation

from core.search.indexes import repair_search_indexes

# By database and table: the columns and rows after the first flush.
_rows: dict[str, dict[str, tuple[list[str], list[tuple[object, ...]]]]] = {}


def emit_or_restore(verbosity: int, interactive: bool, db: str) -> None:
    """Send `post_migrate` after the first flush, and restore its rows after the others."""
    if db in _rows:
        _restore(db)
    else:
        # The last request of a test leaves its language active, and the names of permissions would be stored in it.
        with translation.override(None):
            emit_post_migrate_signal(verbosity, interactive, db)
        _rows[db] = dict(_read(db))


def _read(db: str) -> Iterator[tuple[str, tuple[list[str], list[tuple[object, ...]]]]]:
    """Yield the columns and rows of each table that has some."""
    connection = connections[db]
    with connection.cursor() as cursor:
        for table in connection.introspection.django_table_names(only_existing=True, include_views=False):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            if rows := list(cursor.fetchall()):
                yield table, ([column[0] for column in cursor.description], rows)


def _restore(db: str) -> None:
    connection = connections[db]
    quote = connection.ops.quote_name
    with connection.constraint_checks_disabled(), transaction.atomic(using=db), connection.cursor() as cursor:
        for table, (columns, rows) in _rows[db].items():
            values = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {quote(table)} ({', '.join(map(quote, columns))}) VALUES ({values})", rows)
    ContentType.objects.clear_cache()
    for app in apps.get_app_configs():
        repair_search_indexes(sender=app, using=db)
