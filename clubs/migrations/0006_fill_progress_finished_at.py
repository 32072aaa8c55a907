from django.db import migrations
from django.db.models import F


def forward(apps, schema_editor):
    alias = schema_editor.connection.alias
    for name in ("Progress", "ArchivedProgress"):
        rows = apps.get_model("clubs", name).objects.using(alias)
        rows.filter(percent=100, finished_at=None).update(finished_at=F("updated_at"))


class Migration(migrations.Migration):
    """Date finished books by the last update of their progress, as the statistics did."""

    dependencies = [("clubs", "0005_progress_finished_at")]

    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
