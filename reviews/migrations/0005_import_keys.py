from django.db import migrations

from core.db.recompute import recompute_columns
from core.search.normalize import split_words


def set_origin(imported):
    source, _, words = imported.origin.partition(":")
    imported.origin = f"{source}:{' '.join(split_words(words))}"


def forward(apps, schema_editor):
    # Keys that consist of title and author; those with an id, an ISBN or a hash have no space.
    for name in ("ImportedReview", "ArchivedReview"):
        rows = apps.get_model("reviews", name).objects.using(schema_editor.connection.alias)
        recompute_columns(rows.filter(origin__contains=" "), ["origin"], set_origin)


class Migration(migrations.Migration):
    """Store the keys of imported rows without an id as they are normalized now."""

    atomic = False

    dependencies = [("reviews", "0004_verbose_names")]

    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
