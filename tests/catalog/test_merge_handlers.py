"""When two books are merged, every row that refers to a book is moved, or stays for a reason."""

from django.apps import apps
from django.db.models import ForeignKey, OneToOneField

from catalog.models import Book
from core.registry import merge_handlers

# The merge handler that moves the rows.
MOVED_BY = {
    "clubs.Entry.book": "entries",
    "readings.Reading.book": "readings",
    "reviews.Review.book": "reviews",
}
NOT_MOVED = {
    "catalog.Edition.book": "moved by the merge itself, in its first transaction",
    "catalog.ProposedEdition.book": "accepted for the book that is found through merged_into",
    "catalog.AlternateOrigin.book": "names the book that an import created; found again through merged_into",
    "catalog.BookAuthor.book": "describes the merged book, which stays as it was for an undo",
    "catalog.BookSubject.book": "describes the merged book, which stays as it was for an undo",
    "catalog.Revision.book": "the history of the merged book",
    "catalog.Merge.source": "the record of the merge",
    "catalog.Merge.target": "the record of the merge",
    "clubs.EntryChange.book": "the history of a reading list, to which the merge adds a change of the book",
    "reviews.ArchivedReview.book": "the book to which an undo restores the review",
}


def test_each_reference_to_a_book_is_moved_or_listed():
    references = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.local_fields
        if isinstance(field, ForeignKey | OneToOneField) and field.related_model is Book
    }
    assert references == MOVED_BY.keys() | NOT_MOVED.keys()
    assert set(MOVED_BY.values()) == set(merge_handlers)
