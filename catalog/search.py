"""Full-text search that finds the same books on SQLite, MariaDB and MySQL.

A book's words are folded (no case, no accents) and written into one column, each behind a short prefix. The prefix
keeps the servers' own rules away from readers: InnoDB leaves out words under three characters and those on a
stop-word list, so without it "It", "1Q84" or "The" could not be found. Since words hold letters and digits only, no
operator of either query language can come in with them.
"""

import re
from collections.abc import Iterable
from typing import Any

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Lookup
from django.db.models.sql.compiler import SQLCompiler

from bookbridge.api.text import words

PREFIX = "qq"
# InnoDB indexes no word over 84 characters; both sides are cut, so that a longer word is still found.
LONGEST_WORD = 40

# Chinese and Japanese put no space between words: there each character is one, so that any part of a title is found.
_IDEOGRAPHS = r"\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(f"[{_IDEOGRAPHS}]|[^{_IDEOGRAPHS}]+")
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc]")


def terms(text: str) -> list[str]:
    """The words of `text` as they stand in the index, each once, in order."""
    found = (part for word in words(text) for part in _WORD.findall(word))
    return list(dict.fromkeys(PREFIX + "".join(map(_ascii_beyond_bmp, word))[:LONGEST_WORD] for word in found))


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


@SearchField.register_lookup
class Words(Lookup):  # type: ignore[type-arg]
    """`search_text__words=terms(...)`: every term is the start of a word of the row."""

    lookup_name = "words"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        """MariaDB and MySQL: FULLTEXT in boolean mode, where `+` is "must be there" and `*` "goes on"."""
        column, params = self.process_lhs(compiler, connection)
        return f"MATCH({column}) AGAINST (%s IN BOOLEAN MODE)", (*params, " ".join(f"+{term}*" for term in self.rhs))

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        """SQLite: FTS5, where words side by side are all wanted."""
        book = compiler.quote_name_unless_alias(self.lhs.alias)
        return book + IN_SQLITE_INDEX, (" ".join(f'"{term}"*' for term in self.rhs),)


IN_SQLITE_INDEX = ".rowid IN (SELECT rowid FROM catalog_book_search WHERE catalog_book_search MATCH %s)"

# The index holds no text of its own and is kept by triggers. The words are cut already: this tokenizer splits at
# ASCII punctuation alone, and "_" is none of it.
CREATE_ON_SQLITE = [
    """CREATE VIRTUAL TABLE IF NOT EXISTS catalog_book_search USING fts5(
        search_text, content='catalog_book', content_rowid='id', tokenize="ascii tokenchars '_'")""",
    """CREATE TRIGGER IF NOT EXISTS catalog_book_search_insert AFTER INSERT ON catalog_book BEGIN
        INSERT INTO catalog_book_search(rowid, search_text) VALUES (new.id, new.search_text);
    END""",
    """CREATE TRIGGER IF NOT EXISTS catalog_book_search_delete AFTER DELETE ON catalog_book BEGIN
        INSERT INTO catalog_book_search(catalog_book_search, rowid, search_text)
            VALUES ('delete', old.id, old.search_text);
    END""",
    """CREATE TRIGGER IF NOT EXISTS catalog_book_search_update AFTER UPDATE OF search_text ON catalog_book BEGIN
        INSERT INTO catalog_book_search(catalog_book_search, rowid, search_text)
            VALUES ('delete', old.id, old.search_text);
        INSERT INTO catalog_book_search(rowid, search_text) VALUES (new.id, new.search_text);
    END""",
    "INSERT INTO catalog_book_search(catalog_book_search) VALUES ('rebuild')",
]
DROP_ON_SQLITE = [
    "DROP TRIGGER IF EXISTS catalog_book_search_insert",
    "DROP TRIGGER IF EXISTS catalog_book_search_delete",
    "DROP TRIGGER IF EXISTS catalog_book_search_update",
    "DROP TABLE IF EXISTS catalog_book_search",
]
CREATE_ON_MYSQL = ["CREATE FULLTEXT INDEX catalog_book_search ON catalog_book (search_text)"]
DROP_ON_MYSQL = ["DROP INDEX catalog_book_search ON catalog_book"]


def create_index(connection: BaseDatabaseWrapper) -> None:
    """Make the full-text index, in the way of the database at hand."""
    _run(connection, CREATE_ON_MYSQL if connection.vendor == "mysql" else CREATE_ON_SQLITE)


def drop_index(connection: BaseDatabaseWrapper) -> None:
    """Undo `create_index`."""
    _run(connection, DROP_ON_MYSQL if connection.vendor == "mysql" else DROP_ON_SQLITE)


def mend_sqlite_index(using: str) -> None:
    """Make SQLite's triggers anew where a migration has dropped them; nothing where all is well.

    SQLite changes a column by copying the table, and a dropped table takes its triggers along.
    """
    connection = connections[using]
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT type FROM sqlite_master WHERE name GLOB 'catalog_book_search*'")
        found = [kind for (kind,) in cursor.fetchall()]
    if "table" in found and found.count("trigger") < 3:
        create_index(connection)


def _run(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
