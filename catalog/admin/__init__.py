"""The admin of the catalog."""

from catalog.admin import books, revisions
from catalog.merges import admin

__all__ = ["admin", "books", "revisions"]
