from django.db import migrations

from activity.changes.services import record_missing


def forward(apps, schema_editor):
    alias = schema_editor.connection.alias
    model = apps.get_model("activity", "Change")

    def rows(name):
        return apps.get_model("meetings", name).objects.using(alias)

    record_missing(rows("Meeting").filter(deleted_at=None), "meeting", model=model)


class Migration(migrations.Migration):
    """Record what exists as changed now, so that `GET users/me/changes/` lists it."""

    dependencies = [("activity", "0006_changes"), ("clubs", "0013_record_changes"), ("meetings", "0003_rename_waitlist_index")]

    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
