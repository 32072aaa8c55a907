"""Book covers. `Book.cover_url` is an external URL or the name of an image in our storage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.images.storage import delete_on_commit

if TYPE_CHECKING:
    from catalog.models import Book, Revision

COVER_FOLDER = "book-covers"


def revision_covers(revision: Revision) -> set[str]:
    """Return the covers that a revision set and replaced."""
    change = revision.changes.get("cover_url") or {}
    return {str(name) for name in change.values() if name}


def delete_covers(book: Book) -> None:
    """Delete all current and former cover images of a book when the transaction commits."""
    names = {book.cover_url}
    for revision in book.revisions.all():
        names |= revision_covers(revision)
    for name in names:
        delete_on_commit(name)
