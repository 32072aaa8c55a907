from django.db import migrations

from activity.changes.services import record_missing


def forward(apps, schema_editor):
    alias = schema_editor.connection.alias
    model = apps.get_model("activity", "Change")

    def rows(name):
        return apps.get_model("clubs", name).objects.using(alias)

    record_missing(rows("Club"), "club", club="pk", model=model)
    record_missing(rows("Entry"), "entry", model=model)
    record_missing(rows("Milestone"), "milestone", club="entry__club_id", parent_id="entry_id", model=model)


class Migration(migrations.Migration):
    """Record what exists as changed now, so that `GET users/me/changes/` lists it."""

    dependencies = [("activity", "0006_changes"), ("clubs", "0012_membership_joined_change")]

    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
