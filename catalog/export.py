"""Sections of the account export about the catalog."""

from collections.abc import Iterator
from typing import Any

from accounts.export import iter_rows
from accounts.models import User
from catalog.models import Book, ProposedEdition, Revision


def revisions_section(user: User) -> Iterator[dict[str, Any]]:
    """Yield the user's revisions with the new values only; the old ones may be another user's."""
    for row in iter_rows(Revision.objects.filter(editor=user), "book", "number", "created_at", "changes"):
        yield row | {"changes": {name: change["after"] for name, change in row["changes"].items()}}


EXPORT_SECTIONS = {
    "books_added": lambda user: iter_rows(Book.objects.filter(added_by=user), "title", "author", "created_at"),
    "book_changes": revisions_section,
    "proposed_editions": lambda user: iter_rows(
        ProposedEdition.objects.filter(proposed_by=user),
        *("book", "isbn13", "title", "format", "publisher", "language", "page_count", "published_year", "created_at"),
    ),
}
