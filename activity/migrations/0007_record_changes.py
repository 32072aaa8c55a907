from django.db import migrations

from activity.changes.services import record_missing


def forward(apps, schema_editor):
    alias = schema_editor.connection.alias
    model = apps.get_model("activity", "Change")

    def rows(name):
        return apps.get_model("activity", name).objects.using(alias)

    notifications = rows("Notification").filter(in_app=True)
    record_missing(notifications, "notification", user="user_id", model=model)


class Migration(migrations.Migration):
    """Record what exists as changed now, so that `GET users/me/changes/` lists it."""

    dependencies = [("activity", "0006_changes")]

    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
