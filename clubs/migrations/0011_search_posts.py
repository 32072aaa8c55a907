from django.db import migrations

from bookbridge.api.search import FullTextIndex

index = FullTextIndex("clubs_post")


def forward(apps, schema_editor):
    index.create(schema_editor.connection)


def back(apps, schema_editor):
    index.drop(schema_editor.connection)


class Migration(migrations.Migration):
    """The full-text index: FULLTEXT on MariaDB and MySQL, FTS5 on SQLite."""

    # MariaDB and MySQL commit at each DDL statement, and Django refuses those within a transaction there.
    atomic = False

    dependencies = [("clubs", "0010_discussions")]

    operations = [migrations.RunPython(forward, back, elidable=False)]
