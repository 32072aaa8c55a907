"""Lookups of SearchFields, with the same results on SQLite, MariaDB and MySQL."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Lookup
from django.db.models.sql.compiler import SQLCompiler

from core.search.fields import TERM_PREFIX, SearchField
from core.search.indexes import FullTextIndex

# Single letters that are the beginning of a word in many rows. Few words begin with the other letters or with those of
# other scripts, and an ideograph is a whole word.
_ONE_LETTER = re.compile(f"{TERM_PREFIX}[0-9a-ilmnoprstuvw]")

_scanning: ContextVar[bool] = ContextVar("scanning", default=False)


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
    """Lookup `search_text__words=query_terms(...)`: every term of one list is the beginning of a word of the row.

    A single common letter is the beginning of a word in most rows, and the index would collect them all before it
    returns the first. Such a letter is searched in the text of each row in the order of the list, until a page is full.
    """

    lookup_name = "words"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        """Use FULLTEXT in boolean mode on MariaDB and MySQL, where `+` means required and `*` means prefix."""
        column, params = self.process_lhs(compiler, connection)
        spellings = [" ".join(f"+{term}*" for term in terms) for terms in self._indexed_terms]
        indexed = spellings[0] if len(spellings) == 1 else " ".join(f"({spelling})" for spelling in spellings)
        return self._combine_conditions(column, params, f"MATCH({column}) AGAINST (%s IN BOOLEAN MODE)", indexed)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        """Use FTS5 on SQLite, where all terms are required."""
        table, name = self.lhs.target.model._meta.db_table, self.lhs.target.column
        row, index = compiler.quote_name_unless_alias(self.lhs.alias), FullTextIndex(table, name).name
        found = f"SELECT rowid FROM {index} WHERE {index} MATCH %s"  # noqa: S608  names from the model
        column, params = self.process_lhs(compiler, connection)
        spellings = (" ".join(f'"{term}"*' for term in terms) for terms in self._indexed_terms)
        indexed = " OR ".join(f"({spelling})" for spelling in spellings)
        return self._combine_conditions(column, params, f"{row}.rowid IN ({found})", indexed)

    def _is_scanned(self, term: str) -> bool:
        return _scanning.get() or bool(_ONE_LETTER.fullmatch(term))

    @property
    def _indexed_terms(self) -> list[list[str]]:
        """The terms of each list that the index is asked for; empty if a list has none, so that it cannot be used."""
        indexed = [[term for term in terms if not self._is_scanned(term)] for terms in self.rhs]
        return indexed if all(indexed) else []

    @property
    def _scanned_terms(self) -> list[list[str]]:
        """The terms of each list that are searched in the text of the rows."""
        if not any(self._is_scanned(term) for terms in self.rhs for term in terms):
            return []
        if len(self.rhs) == 1 and self._indexed_terms:
            return [[term for term in self.rhs[0] if self._is_scanned(term)]]
        # The index does not say which list a row matches.
        return list(self.rhs)

    def _combine_conditions(self, column: str, own: Any, by_index: str, indexed: str) -> tuple[str, tuple[Any, ...]]:
        """Combine the condition of the index, if it is used, with those of the scanned terms."""
        conditions, params = ([by_index], [*own, indexed]) if indexed else ([], [])
        like = f"({column} LIKE %s ESCAPE '!' OR {column} LIKE %s ESCAPE '!')"
        if scanned := self._scanned_terms:
            conditions.append(f"({' OR '.join(' AND '.join([like] * len(terms)) for terms in scanned)})")
        for term in (term for terms in scanned for term in terms):
            start = term.replace("_", "!_")
            params += [*own, f"{start}%", *own, f"% {start}%"]
        return f"({' AND '.join(conditions)})", tuple(params)


@SearchField.register_lookup
class IndexedTermsLookup(AllTermsLookup):
    """Like `words`, but with the index for all terms: for terms that few rows contain."""

    lookup_name = "indexed"

    def _is_scanned(self, term: str) -> bool:
        return False


@SearchField.register_lookup
class ScannedTermsLookup(AllTermsLookup):
    """Like `words`, but scanning for all terms: for terms that many rows contain, in a list that ends with its page."""

    lookup_name = "read"

    def _is_scanned(self, term: str) -> bool:
        return True
