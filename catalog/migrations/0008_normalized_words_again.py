from importlib import import_module

from django.db import migrations


class Migration(migrations.Migration):
    """Store the keys and words of titles and names as they are normalized now."""

    atomic = False

    dependencies = [("catalog", "0007_verbose_names")]

    # The same columns as in that migration, computed as the code computes them now. Unchanged rows are not written.
    operations = [
        migrations.RunPython(import_module("catalog.migrations.0005_normalized_words").forward, migrations.RunPython.noop)
    ]
