"""Sections of the account export about the catalog."""

from rest_framework import serializers

from accounts.export import ExportRows, Row, iter_rows
from accounts.export_schema import Field, build_fields
from accounts.models import User
from catalog.models import EDITABLE_FIELDS, Book, ProposedEdition, Revision


class ExportedBookChangesSerializer(serializers.Serializer[Book]):
    """The new values of those fields of a book that were changed."""

    optional_in_responses = EDITABLE_FIELDS

    def get_fields(self) -> dict[str, Field]:
        """Return a field for each editable field of a book."""
        lists = {name: serializers.ListField(child=serializers.CharField()) for name in ("authors", "subjects")}
        return build_fields(Book.objects.values(*(name for name in EDITABLE_FIELDS if name not in lists))) | lists


def revisions_section(user: User) -> ExportRows:
    """Return the user's revisions with the new values only; the old ones may be another user's."""
    rows = iter_rows(Revision.objects.filter(editor=user), "book", "number", "created_at", "changes")
    return rows.map(_with_new_values, changes=ExportedBookChangesSerializer())


def _with_new_values(row: Row) -> Row:
    return {**row, "changes": {name: change["after"] for name, change in row["changes"].items()}}


EXPORT_SECTIONS = {
    "books_added": lambda user: iter_rows(Book.objects.filter(added_by=user), "title", "author", "created_at"),
    "book_changes": revisions_section,
    "proposed_editions": lambda user: iter_rows(
        ProposedEdition.objects.filter(proposed_by=user),
        *("book", "isbn13", "title", "format", "publisher", "language", "page_count", "published_year", "created_at"),
    ),
}
