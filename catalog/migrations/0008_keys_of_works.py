from importlib import import_module

from django.db import migrations

forward = import_module("catalog.migrations.0005_normalized_words").forward


class Migration(migrations.Migration):
    """Store the keys of titles and authors as they are compared now."""

    atomic = False

    dependencies = [("catalog", "0007_verbose_names")]

    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
