from django.db import migrations

from bookbridge.api.search import index_text


def forward(apps, schema_editor):
    User = apps.get_model("accounts", "User")
    users = User.objects.using(schema_editor.connection.alias).only("pk", "username", "display_name")
    last = 0
    while chunk := list(users.filter(pk__gt=last).order_by("pk")[:1000]):
        for user in chunk:
            user.search_text = index_text([user.username, user.display_name])
        User.objects.using(schema_editor.connection.alias).bulk_update(chunk, ["search_text"], batch_size=200)
        last = chunk[-1].pk


class Migration(migrations.Migration):
    """Fill the search text of existing users."""

    dependencies = [("accounts", "0002_user_search_text")]

    operations = [migrations.RunPython(forward, migrations.RunPython.noop, elidable=True)]
