from django.db import migrations

from core.db.recompute import recompute_columns
from core.search.fields import build_search_text


def set_search_text(user):
    user.search_text = build_search_text([user.username, user.display_name])


def forward(apps, schema_editor):
    users = apps.get_model("accounts", "User").objects.using(schema_editor.connection.alias).exclude(search_text="")
    recompute_columns(users, ["search_text"], set_search_text)


class Migration(migrations.Migration):
    """Store the words of names as they are normalized now."""

    atomic = False

    dependencies = [("accounts", "0003_email_keys")]

    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
