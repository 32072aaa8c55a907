from django.db import migrations

from activity.changes.services import record_missing


def forward(apps, schema_editor):
    alias = schema_editor.connection.alias
    model = apps.get_model("activity", "Change")

    def rows(name):
        return apps.get_model("discussions", name).objects.using(alias)

    record_missing(rows("Thread"), "thread", model=model)
    record_missing(rows("Post"), "post", model=model)


class Migration(migrations.Migration):
    """Record what exists as changed now, so that `GET users/me/changes/` lists it."""

    dependencies = [("activity", "0006_changes"), ("clubs", "0013_record_changes"), ("discussions", "0006_search_words_again")]

    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
