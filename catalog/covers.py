"""Pictures of books: `Book.cover_url` is an address elsewhere, or the name of a picture that is kept here."""

from collections.abc import Collection

from bookbridge.api.pictures import discard
from catalog.models import Book
from catalog.revisions import Revision

COVERS = "book-covers"


def in_use(books: Collection[int], names: Collection[str]) -> set[str]:
    """Those of `names` that a book shows, or could show again if a change of one of `books` were undone."""
    used = set(Book.objects.filter(pk__in=books).values_list("cover_url", flat=True))
    for revision in Revision.objects.filter(book__in=books):
        used |= of_revision(revision)
    lost = set(names) - used
    # A book that was merged into another has left it its cover. No index: few are ever lost.
    return used | set(Book.objects.filter(cover_url__in=lost).values_list("cover_url", flat=True) if lost else ())


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
