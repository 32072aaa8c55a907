from django.db import migrations

from bookbridge.api.search import FullTextIndex


class Migration(migrations.Migration):
    """Create the full-text index: FULLTEXT on MariaDB and MySQL, FTS5 on SQLite."""

    # MariaDB and MySQL commit at each DDL statement, so Django rejects DDL inside a transaction.
    atomic = False

    dependencies = [("catalog", "0001_initial")]

    operations = [FullTextIndex("catalog_book").operation()]
