from importlib import import_module

from django.db import migrations


class Migration(migrations.Migration):
    """Store the words of names and descriptions as they are normalized now."""

    atomic = False

    dependencies = [("clubs", "0010_invitation_max_uses")]

    # The same columns as in that migration, computed as the code computes them now. Unchanged rows are not written.
    operations = [
        migrations.RunPython(import_module("clubs.migrations.0003_search_words").forward, migrations.RunPython.noop)
    ]
