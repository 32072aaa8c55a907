"""Full-text indexes of SearchFields, created in migrations."""

from dataclasses import dataclass
from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython

from core.search.fields import SearchField

# The text is already tokenized. This tokenizer splits only at ASCII punctuation, except for "_".
CREATE_ON_SQLITE = [
    """CREATE VIRTUAL TABLE IF NOT EXISTS {index} USING fts5(
        {column}, content='{table}', content_rowid='id', tokenize="ascii tokenchars '_'")""",
    """CREATE TRIGGER IF NOT EXISTS {index}_insert AFTER INSERT ON {table} BEGIN
        INSERT INTO {index}(rowid, {column}) VALUES (new.id, new.{column});
    END""",
    """CREATE TRIGGER IF NOT EXISTS {index}_delete AFTER DELETE ON {table} BEGIN
        INSERT INTO {index}({index}, rowid, {column}) VALUES ('delete', old.id, old.{column});
    END""",
    """CREATE TRIGGER IF NOT EXISTS {index}_update AFTER UPDATE OF {column} ON {table} BEGIN
        INSERT INTO {index}({index}, rowid, {column}) VALUES ('delete', old.id, old.{column});
        INSERT INTO {index}(rowid, {column}) VALUES (new.id, new.{column});
    END""",
    "INSERT INTO {index}({index}) VALUES ('rebuild')",
]
DROP_ON_SQLITE = [
    "DROP TRIGGER IF EXISTS {index}_insert",
    "DROP TRIGGER IF EXISTS {index}_delete",
    "DROP TRIGGER IF EXISTS {index}_update",
    "DROP TABLE IF EXISTS {index}",
]


@dataclass(frozen=True)
class FullTextIndex:
    """The full-text index of the SearchField of a table with the primary key `id`.

    On SQLite it is a contentless FTS5 table that triggers maintain.
    """

    table: str
    column: str = "search_text"

    @property
    def name(self) -> str:
        """The name of the index, on SQLite of the FTS5 table."""
        return f"{self.table}_search"

    def operation(self) -> RunPython:
        """Return the migration operation that creates the index."""

        def forward(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
            self.create(schema_editor)

        def back(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
            self.drop(schema_editor)

        return RunPython(forward, back, elidable=False)

    def create(self, schema_editor: BaseDatabaseSchemaEditor) -> None:
        """Create the index."""
        if schema_editor.connection.vendor == "mysql":
            self._run(schema_editor, "CREATE FULLTEXT INDEX {index} ON {table} ({column})")
        else:
            self._run(schema_editor, *CREATE_ON_SQLITE)

    def drop(self, schema_editor: BaseDatabaseSchemaEditor) -> None:
        """Drop the index."""
        if schema_editor.connection.vendor == "mysql":
            self._run(schema_editor, "DROP INDEX {index} ON {table}")
        else:
            self._run(schema_editor, *DROP_ON_SQLITE)

    def repair(self, connection: BaseDatabaseWrapper) -> None:
        """Recreate the triggers on SQLite if a migration has dropped them.

        SQLite alters a column by copying the table and dropping the old one, with its triggers.
        """
        if connection.vendor != "sqlite":
            return
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT type FROM sqlite_master WHERE name = %s OR name GLOB %s", [self.name, f"{self.name}_*"]
            )
            found = [kind for (kind,) in cursor.fetchall()]
        if "table" in found and found.count("trigger") < 3:
            with connection.schema_editor() as schema_editor:
                self.create(schema_editor)

    def _run(self, schema_editor: BaseDatabaseSchemaEditor, *statements: str) -> None:
        names = {"index": self.name, "table": self.table, "column": self.column}
        for statement in statements:
            schema_editor.execute(statement.format(**names), None)


def repair_search_indexes(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """Repair the search indexes of an app after its migrations; receiver of `post_migrate`."""
    for model in sender.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, SearchField):
                FullTextIndex(model._meta.db_table, str(field.column)).repair(connections[using])
