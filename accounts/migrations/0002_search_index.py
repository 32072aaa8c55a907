from django.db import migrations

from core.search.indexes import FullTextIndex


class Migration(migrations.Migration):
    """Add the full-text index: FULLTEXT on MariaDB and MySQL, FTS5 on SQLite."""

    # MariaDB and MySQL commit at each DDL statement, and Django refuses those within a transaction there.
    atomic = False

    dependencies = [("accounts", "0001_initial")]

    operations = [FullTextIndex("accounts_user").operation()]
