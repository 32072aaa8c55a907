"""Full-text search with the same results on SQLite, MariaDB and MySQL.

A model has a `SearchField`, sets it with `build_search_text` and is searched with `search_text__words=tokenize(...)`.
The column contains the folded words, each with a short prefix; its index (`FullTextIndex`) is created in a migration.

The prefix avoids rules of the servers: InnoDB ignores words under three characters and stop words, so that "It", "1Q84"
and "The" could not be found without it. Words contain only letters and digits, so they cannot contain operators of
the query languages.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.apps import AppConfig
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython
from django.db.models import Lookup
from django.db.models.sql.compiler import SQLCompiler

from core.search.normalize import split_words

TERM_PREFIX = "qq"
# InnoDB ignores words over 84 characters; stored and searched words are both cut, so that longer ones are found.
MAX_TERM_LENGTH = 40
MAX_QUERY_TERMS = 10

# Chinese and Japanese have no spaces between words, so each character is a word and any part of a title is found.
_IDEOGRAPHS = r"\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(f"[{_IDEOGRAPHS}]|[^{_IDEOGRAPHS}]+")
# Single letters that are the beginning of a word in many rows. Few words begin with the other letters or with those of
# other scripts, and an ideograph is a whole word.
_ONE_LETTER = re.compile(f"{TERM_PREFIX}[0-9a-ilmnoprstuvw]")
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc]")


def tokenize(text: str) -> list[str]:
    """Return the distinct words of `text` in order, as they are stored in the index."""
    found = (part for word in split_words(text) for part in _WORD.findall(word))
    return list(dict.fromkeys(TERM_PREFIX + "".join(map(_ascii_beyond_bmp, word))[:MAX_TERM_LENGTH] for word in found))


def query_terms(text: str) -> list[str]:
    """Return the words to search for: the first ten of `text`, none if it has no letter or digit."""
    return tokenize(text)[:MAX_QUERY_TERMS]


def build_search_text(texts: Iterable[str]) -> str:
    """Return the value of the search column for a row that is found by the words of `texts`.

    Words with an apostrophe are also included without it, so that `enders` finds Ender's Game.
    """
    text = " ".join(texts)
    return " ".join(dict.fromkeys(tokenize(text) + tokenize(_APOSTROPHES.sub("", text))))


def _ascii_beyond_bmp(character: str) -> str:
    """Escape characters beyond U+FFFF, which the servers treat as punctuation, as `_` and five digits."""
    return character if ord(character) < 0x10000 else f"_{ord(character):05x}"


class SearchField(models.TextField):  # type: ignore[type-arg]
    """The search column of a model, set with `build_search_text`. A migration creates its full-text index."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        """Return the column's parameters, with the binary collation on MariaDB and MySQL."""
        parameters = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"
        return parameters


_scanning: ContextVar[bool] = ContextVar("walking", default=False)


@contextmanager
def scan_instead_of_index() -> Iterator[None]:
    """Search the text of each row instead of the index inside the block. Only for few rows."""
    token = _scanning.set(True)
    try:
        yield
    finally:
        _scanning.reset(token)


@SearchField.register_lookup
class AllTermsLookup(Lookup):
    """Lookup `search_text__words=tokenize(...)`: every term is the beginning of a word of the row.

    A single common letter is the beginning of a word in most rows, and the index would collect them all before it
    returns the first. Such a letter is searched in the text of each row in the order of the list, until a page is full.
    """

    lookup_name = "words"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        """Use FULLTEXT in boolean mode on MariaDB and MySQL, where `+` means required and `*` means prefix."""
        column, params = self.process_lhs(compiler, connection)
        indexed = " ".join(f"+{term}*" for term in self._indexed_terms)
        return self._combine_conditions(column, params, f"MATCH({column}) AGAINST (%s IN BOOLEAN MODE)", indexed)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        """Use FTS5 on SQLite, where all terms are required."""
        table, name = self.lhs.target.model._meta.db_table, self.lhs.target.column
        row, index = compiler.quote_name_unless_alias(self.lhs.alias), FullTextIndex(table, name).name
        found = f"SELECT rowid FROM {index} WHERE {index} MATCH %s"  # noqa: S608  names from the model
        column, params = self.process_lhs(compiler, connection)
        return self._combine_conditions(
            column, params, f"{row}.rowid IN ({found})", " ".join(f'"{term}"*' for term in self._indexed_terms)
        )

    @property
    def _scanned_terms(self) -> list[str]:
        return [term for term in self.rhs if _scanning.get() or _ONE_LETTER.fullmatch(term)]

    @property
    def _indexed_terms(self) -> list[str]:
        return [term for term in self.rhs if not _scanning.get() and not _ONE_LETTER.fullmatch(term)]

    def _combine_conditions(self, column: str, own: Any, by_index: str, indexed: str) -> tuple[str, tuple[Any, ...]]:
        """Combine the condition of the index, if any term uses it, with one for each scanned term."""
        conditions, params = ([by_index], [*own, indexed]) if indexed else ([], [])
        for term in self._scanned_terms:
            conditions.append(f"({column} LIKE %s ESCAPE '!' OR {column} LIKE %s ESCAPE '!')")
            start = term.replace("_", "!_")
            params += [*own, f"{start}%", *own, f"% {start}%"]
        return f"({' AND '.join(conditions)})", tuple(params)


@SearchField.register_lookup
class IndexedTermsLookup(AllTermsLookup):
    """Like `words`, but with the index for all terms: for terms that few rows contain."""

    lookup_name = "indexed"

    @property
    def _scanned_terms(self) -> list[str]:
        return []

    @property
    def _indexed_terms(self) -> list[str]:
        return list(self.rhs)


@SearchField.register_lookup
class ScannedTermsLookup(AllTermsLookup):
    """Like `words`, but scanning for all terms: for terms that many rows contain, in a list that ends with its page."""

    lookup_name = "read"

    @property
    def _scanned_terms(self) -> list[str]:
        return list(self.rhs)

    @property
    def _indexed_terms(self) -> list[str]:
        return []


@dataclass(frozen=True)
class FullTextIndex:
    """The full-text index of the SearchField of a table with the primary key `id`.

    On SQLite it is a contentless FTS5 table that triggers maintain.
    """

    table: str
    column: str = "search_text"

    @property
    def name(self) -> str:
        """Return the name of the index, on SQLite of the FTS5 table."""
        return f"{self.table}_search"

    def operation(self) -> RunPython:
        """Return the migration operation that creates the index."""

        def forward(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
            self.create(schema_editor.connection)

        def back(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
            self.drop(schema_editor.connection)

        return RunPython(forward, back, elidable=False)

    def create(self, connection: BaseDatabaseWrapper) -> None:
        """Create the index."""
        if connection.vendor == "mysql":
            self._run(connection, "CREATE FULLTEXT INDEX {index} ON {table} ({column})")
        else:
            self._run(connection, *CREATE_ON_SQLITE)

    def drop(self, connection: BaseDatabaseWrapper) -> None:
        """Drop the index."""
        if connection.vendor == "mysql":
            self._run(connection, "DROP INDEX {index} ON {table}")
        else:
            self._run(connection, *DROP_ON_SQLITE)

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
            self.create(connection)

    def _run(self, connection: BaseDatabaseWrapper, *statements: str) -> None:
        names = {"index": self.name, "table": self.table, "column": self.column}
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement.format(**names))


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


def repair_search_indexes(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """Repair the search indexes of an app after its migrations; receiver of `post_migrate`."""
    for model in sender.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, SearchField):
                FullTextIndex(model._meta.db_table, str(field.column)).repair(connections[using])
