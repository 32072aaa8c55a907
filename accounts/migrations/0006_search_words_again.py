from importlib import import_module

from django.db import migrations


class Migration(migrations.Migration):
    """Store the words of names as they are normalized now."""

    atomic = False

    dependencies = [("accounts", "0005_verbose_names")]

    # The same columns as in that migration, computed as the code computes them now. Unchanged rows are not written.
    operations = [
        migrations.RunPython(import_module("accounts.migrations.0004_search_words").forward, migrations.RunPython.noop)
    ]
