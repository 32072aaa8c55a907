from importlib import import_module

from django.db import migrations

from core.db.recompute import recompute_columns
from core.search.fields import build_search_text

without_editions = import_module("catalog.migrations.0005_normalized_words").forward


def set_search_text(book):
    authors = [row.name for row in book.author_rows.all()]
    titles = [edition.title for edition in sorted(book.editions.all(), key=lambda row: row.pk) if edition.title]
    book.search_text = build_search_text([book.title, *authors, *titles[:200]])


def forward(apps, schema_editor):
    book, edition = (apps.get_model("catalog", name) for name in ("Book", "Edition"))
    titled = edition.objects.filter(title__gt="").values("book")
    books = book.objects.using(schema_editor.connection.alias).filter(pk__in=titled)
    recompute_columns(books.prefetch_related("author_rows", "editions"), ["search_text"], set_search_text)


class Migration(migrations.Migration):
    """Let the search find books by the titles of their editions. The reverse removes these words."""

    atomic = False

    dependencies = [("catalog", "0010_proposed_edition")]

    operations = [migrations.RunPython(forward, without_editions)]
