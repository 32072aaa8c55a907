"""Book covers. `Book.cover_url` is an external URL or the name of an image in our storage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bookbridge.api.pictures import discard

if TYPE_CHECKING:
    from catalog.models import Book
    from catalog.revisions import Revision

COVERS = "book-covers"


def of_revision(revision: Revision) -> set[str]:
    """Return the covers that a revision set and replaced."""
    change = revision.changes.get("cover_url") or {}
    return {str(name) for name in change.values() if name}


def discard_all(book: Book) -> None:
    """Delete all current and former cover images of a book when the transaction commits."""
    names = {book.cover_url}
    for revision in book.revisions.all():
        names |= of_revision(revision)
    for name in names:
        discard(name)
