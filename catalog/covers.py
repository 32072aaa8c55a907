"""Book covers. `Book.cover_url` is an external URL or the name of an image in our storage."""

from collections.abc import Collection

from bookbridge.api.pictures import discard
from catalog.models import Book
from catalog.revisions import Revision

COVERS = "book-covers"


def in_use(books: Collection[int], names: Collection[str]) -> set[str]:
    """Return those of `names` that a book shows, or would show again if a revision of one of `books` were reverted."""
    used = set(Book.objects.filter(pk__in=books).values_list("cover_url", flat=True))
    for revision in Revision.objects.filter(book__in=books):
        used |= of_revision(revision)
    unclaimed = set(names) - used
    # A merged book passes its cover on to the target. There is no index, because few names get here.
    return used | set(
        Book.objects.filter(cover_url__in=unclaimed).values_list("cover_url", flat=True) if unclaimed else ()
    )


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
