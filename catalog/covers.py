"""Pictures of books: `Book.cover_url` is an address elsewhere, or the name of a picture that is kept here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bookbridge.api.pictures import discard

if TYPE_CHECKING:
    from catalog.models import Book
    from catalog.revisions import Revision

COVERS = "book-covers"


def of_revision(revision: Revision) -> set[str]:
    """The covers that a change has put there and taken away."""
    change = revision.changes.get("cover_url") or {}
    return {str(name) for name in change.values() if name}


def discard_all(book: Book) -> None:
    """Delete the pictures of a book that goes, the former ones too, once that is committed."""
    names = {book.cover_url}
    for revision in book.revisions.all():
        names |= of_revision(revision)
    for name in names:
        discard(name)
