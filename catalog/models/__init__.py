"""Models of the catalog app."""

from catalog.identity import KEY_LENGTH
from catalog.models.books import (
    BOOK_SUMMARY,
    EDITABLE_FIELDS,
    EDITION_FIELDS,
    TRUSTED_EDITORS,
    Book,
    BookMerged,
)
from catalog.models.editions import FIRST_YEAR, LAST_YEAR, MAX_PAGES, DuplicateISBN, Edition
from catalog.models.imports import AlternateOrigin, ImportCheckpoint, ImportedAuthor
from catalog.models.merges import IN_PROGRESS, REASON_LENGTH, Merge, MergeStatus, MovedRow
from catalog.models.names import (
    MAX_NAMES,
    NAME_LENGTH,
    NAMES_ERROR,
    BookAuthor,
    BookNameBase,
    BookSubject,
    join_authors,
    sort_key,
    title_sort_key,
)
from catalog.models.proposals import ProposedEdition
from catalog.models.revisions import Revision

__all__ = [
    "BOOK_SUMMARY",
    "EDITABLE_FIELDS",
    "EDITION_FIELDS",
    "FIRST_YEAR",
    "IN_PROGRESS",
    "KEY_LENGTH",
    "LAST_YEAR",
    "MAX_NAMES",
    "MAX_PAGES",
    "NAMES_ERROR",
    "NAME_LENGTH",
    "REASON_LENGTH",
    "TRUSTED_EDITORS",
    "AlternateOrigin",
    "Book",
    "BookAuthor",
    "BookMerged",
    "BookNameBase",
    "BookSubject",
    "DuplicateISBN",
    "Edition",
    "ImportCheckpoint",
    "ImportedAuthor",
    "Merge",
    "MergeStatus",
    "MovedRow",
    "ProposedEdition",
    "Revision",
    "join_authors",
    "sort_key",
    "title_sort_key",
]
