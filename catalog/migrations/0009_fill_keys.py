from django.db import migrations

from catalog.duplicates import print_key, work_key


def forward(apps, schema_editor):
    Book = apps.get_model("catalog", "Book")
    books = Book.objects.using(schema_editor.connection.alias)
    last = 0
    while chunk := list(
        books.filter(pk__gt=last).only("title", "isbn13").order_by("pk").prefetch_related("author_rows")[:1000]
    ):
        for book in chunk:
            names = [row.name for row in sorted(book.author_rows.all(), key=lambda row: row.position)]
            book.work_key, book.print_key = work_key(book.title, names), print_key(book.title, book.isbn13)
        books.bulk_update(chunk, ["work_key", "print_key"], batch_size=200)
        last = chunk[-1].pk


class Migration(migrations.Migration):
    """Fill the duplicate keys of existing books."""

    dependencies = [("catalog", "0008_duplicates")]

    operations = [migrations.RunPython(forward, migrations.RunPython.noop, elidable=True)]
