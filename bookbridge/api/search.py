"""Full-text search that finds the same rows on SQLite, MariaDB and MySQL.

The words a row is found by are folded (no case, no accents) and written into one column, each behind a short prefix:
a model has a `SearchField`, fills it with `index_text` and is searched with `search_text__words=terms(...)`; the index
over it (`FullTextIndex`) is made in a migration of its own.

The prefix keeps the servers' own rules away from readers: InnoDB leaves out words under three characters and those on a
stop-word list, so without it "It", "1Q84" or "The" could not be found. Since words hold letters and digits only, no
operator of either query language can come in with them.
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

from bookbridge.api.text import words

PREFIX = "qq"
# InnoDB indexes no word over 84 characters; both sides are cut, so that a longer word is still found.
LONGEST_WORD = 40
MOST_QUERY_WORDS = 10

# Chinese and Japanese put no space between words: there each character is one, so that any part of a title is found.
_IDEOGRAPHS = r"\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(f"[{_IDEOGRAPHS}]|[^{_IDEOGRAPHS}]+")
# What begins a word of many rows. Few words begin with the other letters or with those of other scripts, and an
# ideograph is a whole word.
_ONE_LETTER = re.compile(f"{PREFIX}[0-9a-ilmnoprstuvw]")
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc]")


def terms(text: str) -> list[str]:
    """The words of `text` as they stand in the index, each once, in order."""
    found = (part for word in words(text) for part in _WORD.findall(word))
    return list(dict.fromkeys(PREFIX + "".join(map(_ascii_beyond_bmp, word))[:LONGEST_WORD] for word in found))


def query_terms(text: str) -> list[str]:
    """The words of `text` that a search looks for: the first ten; none where it has no letter or digit."""
    return terms(text)[:MOST_QUERY_WORDS]


def index_text(texts: Iterable[str]) -> str:
    """What the search column of a row holds that is to be found by the words of `texts`.

    A word with an apostrophe stands there in one piece too: `enders` finds Ender's Game.
    """
    text = " ".join(texts)
    return " ".join(dict.fromkeys(terms(text) + terms(_APOSTROPHES.sub("", text))))


def _ascii_beyond_bmp(character: str) -> str:
    """The servers take characters beyond U+FFFF for punctuation, so these are written as `_` and five digits."""
    return character if ord(character) < 0x10000 else f"_{ord(character):05x}"


class SearchField(models.TextField):  # type: ignore[type-arg]
    """The words a row is found by, from `index_text`. Its full-text index is made in a migration of its own."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        """The column's parameters, with the binary collation where one must be named."""
        parameters = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"
        return parameters


_walking: ContextVar[bool] = ContextVar("walking", default=False)


@contextmanager
def walking() -> Iterator[None]:
    """Inside, words are looked for in the text of each row and no index is asked: for few rows."""
    token = _walking.set(True)
    try:
        yield
    finally:
        _walking.reset(token)


@SearchField.register_lookup
class Words(Lookup):
    """`search_text__words=terms(...)`: every term is the start of a word of the row.

    A common letter begins a word of most rows, and an index would gather them all before the first is shown. So it is
    looked for in the text of the row, and the rows are taken in the order of the list until a page is full.
    """

    lookup_name = "words"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        """MariaDB and MySQL: FULLTEXT in boolean mode, where `+` is "must be there" and `*` "goes on"."""
        column, params = self.process_lhs(compiler, connection)
        indexed = " ".join(f"+{term}*" for term in self._indexed)
        return self._with_walked(column, params, f"MATCH({column}) AGAINST (%s IN BOOLEAN MODE)", indexed)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        """SQLite: FTS5, where words side by side are all wanted."""
        table, name = self.lhs.target.model._meta.db_table, self.lhs.target.column
        row, index = compiler.quote_name_unless_alias(self.lhs.alias), FullTextIndex(table, name).name
        found = f"SELECT rowid FROM {index} WHERE {index} MATCH %s"  # noqa: S608  names from the model
        column, params = self.process_lhs(compiler, connection)
        return self._with_walked(
            column, params, f"{row}.rowid IN ({found})", " ".join(f'"{term}"*' for term in self._indexed)
        )

    @property
    def _walked(self) -> list[str]:
        return [term for term in self.rhs if _walking.get() or _ONE_LETTER.fullmatch(term)]

    @property
    def _indexed(self) -> list[str]:
        return [term for term in self.rhs if not _walking.get() and not _ONE_LETTER.fullmatch(term)]

    def _with_walked(self, column: str, own: Any, by_index: str, indexed: str) -> tuple[str, tuple[Any, ...]]:
        """The condition of the index, where it has words to look for, and one for each word that is not asked of it."""
        conditions, params = ([by_index], [*own, indexed]) if indexed else ([], [])
        for term in self._walked:
            conditions.append(f"({column} LIKE %s ESCAPE '!' OR {column} LIKE %s ESCAPE '!')")
            start = term.replace("_", "!_")
            params += [*own, f"{start}%", *own, f"% {start}%"]
        return f"({' AND '.join(conditions)})", tuple(params)


@SearchField.register_lookup
class Indexed(Words):
    """As `words`, all of them by the index: for what few rows have."""

    lookup_name = "indexed"

    @property
    def _walked(self) -> list[str]:
        return []

    @property
    def _indexed(self) -> list[str]:
        return list(self.rhs)


@SearchField.register_lookup
class Read(Words):
    """As `words`, all of them looked for in the rows: for what many rows have, in a list that ends with its page."""

    lookup_name = "read"

    @property
    def _walked(self) -> list[str]:
        return list(self.rhs)

    @property
    def _indexed(self) -> list[str]:
        return []


@dataclass(frozen=True)
class FullTextIndex:
    """The full-text index over the SearchField of one table, whose primary key is `id`.

    On SQLite it is a table that holds no text of its own and is kept by triggers.
    """

    table: str
    column: str = "search_text"

    @property
    def name(self) -> str:
        """The name of the index, and of SQLite's table."""
        return f"{self.table}_search"

    def operation(self) -> RunPython:
        """What a migration of its own makes it by, and takes it away."""

        def forward(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
            self.create(schema_editor.connection)

        def back(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
            self.drop(schema_editor.connection)

        return RunPython(forward, back, elidable=False)

    def create(self, connection: BaseDatabaseWrapper) -> None:
        """Make it, in the way of the database at hand."""
        if connection.vendor == "mysql":
            self._run(connection, "CREATE FULLTEXT INDEX {index} ON {table} ({column})")
        else:
            self._run(connection, *CREATE_ON_SQLITE)

    def drop(self, connection: BaseDatabaseWrapper) -> None:
        """Undo `create`."""
        if connection.vendor == "mysql":
            self._run(connection, "DROP INDEX {index} ON {table}")
        else:
            self._run(connection, *DROP_ON_SQLITE)

    def mend(self, connection: BaseDatabaseWrapper) -> None:
        """Make SQLite's triggers anew where a migration has dropped them; nothing where all is well.

        SQLite changes a column by copying the table, and a dropped table takes its triggers along.
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


# The words are cut already: this tokenizer splits at ASCII punctuation alone, and "_" is none of it.
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


def mend_indexes(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """After an app's migrations: see to the indexes of its models."""
    for model in sender.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, SearchField):
                FullTextIndex(model._meta.db_table, str(field.column)).mend(connections[using])
