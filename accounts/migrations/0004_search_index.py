from django.db import migrations

from bookbridge.api.search import FullTextIndex


class Migration(migrations.Migration):
    """Add the full-text index: FULLTEXT on MariaDB and MySQL, FTS5 on SQLite."""

    # MariaDB and MySQL commit implicitly at each DDL statement, which Django does not allow in a transaction.
    atomic = False

    dependencies = [("accounts", "0003_fill_search_text")]

    operations = [FullTextIndex("accounts_user").operation()]
