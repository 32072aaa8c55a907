from django.db import migrations

from catalog.duplicate_keys import edition_key, work_key
from catalog.identity import WorkTitle, author_key
from catalog.models.names import subject_key, title_sort_key
from core.db.recompute import recompute_columns
from core.search.fields import build_search_text

BOOK_COLUMNS = ["title_key", "match_key", "search_text", "work_key", "edition_key"]


def set_book_keys(book):
    authors = [row.name for row in book.author_rows.all()]
    book.title_key = title_sort_key(book.title, book.language)
    book.match_key = WorkTitle.parse(book.title).key
    book.search_text = build_search_text([book.title, *authors])
    if book.merged_into is None:
        book.work_key, book.edition_key = work_key(book.title, authors), edition_key(book.title, book.isbn13)


def set_author_key(author):
    author.key = author_key(author.name)


def set_subject_key(subject):
    subject.key = subject_key(subject.name)


def forward(apps, schema_editor):
    book, author, subject = (apps.get_model("catalog", name) for name in ("Book", "BookAuthor", "BookSubject"))
    alias = schema_editor.connection.alias
    books = book.objects.using(alias).prefetch_related("author_rows")
    recompute_columns(books, BOOK_COLUMNS, set_book_keys)
    recompute_columns(author.objects.using(alias), ["key"], set_author_key)
    recompute_columns(subject.objects.using(alias), ["key"], set_subject_key)


class Migration(migrations.Migration):
    """Store the keys and words of titles and names as they are normalized now."""

    atomic = False

    dependencies = [("catalog", "0004_match_key")]

    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
