"""Admin of the catalog."""

from catalog.admin import books, proposals, revisions
from catalog.merges import admin as merges

__all__ = ["books", "merges", "proposals", "revisions"]
