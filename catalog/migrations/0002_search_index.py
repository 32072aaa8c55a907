from django.db import migrations

from catalog import search


def forward(apps, schema_editor):
    search.create_index(schema_editor.connection)


def back(apps, schema_editor):
    search.drop_index(schema_editor.connection)


class Migration(migrations.Migration):
    """The full-text index: FULLTEXT on MariaDB and MySQL, FTS5 on SQLite."""

    # MariaDB and MySQL commit at each DDL statement, and Django refuses those within a transaction there.
    atomic = False

    dependencies = [("catalog", "0001_initial")]

    operations = [migrations.RunPython(forward, back, elidable=False)]
