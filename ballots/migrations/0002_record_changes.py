from django.db import migrations

from activity.changes.services import record_missing


def forward(apps, schema_editor):
    alias = schema_editor.connection.alias
    model = apps.get_model("activity", "Change")

    def rows(name):
        return apps.get_model("ballots", name).objects.using(alias)

    record_missing(rows("Ballot"), "ballot", model=model)


class Migration(migrations.Migration):
    """Record what exists as changed now, so that `GET users/me/changes/` lists it."""

    dependencies = [("activity", "0006_changes"), ("ballots", "0001_initial"), ("clubs", "0013_record_changes")]

    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
