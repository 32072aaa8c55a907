"""What the catalogue holds about one reader."""

from collections.abc import Iterator
from typing import Any

from accounts.export import rows
from accounts.models import User
from catalog.models import Book, Revision


def changes(user: User) -> Iterator[dict[str, Any]]:
    """What they changed in books: the new values, which are theirs."""
    for row in rows(Revision.objects.filter(editor=user), "book", "number", "at", "changes"):
        yield row | {"changes": {name: change["after"] for name, change in row["changes"].items()}}


SECTIONS = {
    "books_added": lambda user: rows(Book.objects.filter(added_by=user), "title", "author", "created_at"),
    "book_changes": changes,
}
