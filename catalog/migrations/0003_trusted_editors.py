from django.db import migrations

NAME = "Trusted editors"


def forward(apps, schema_editor):
    apps.get_model("auth", "Group").objects.get_or_create(name=NAME)


def back(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name=NAME).delete()


class Migration(migrations.Migration):
    """Create the group of users who may edit every book."""

    dependencies = [
        ("catalog", "0002_search_index"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(forward, back)]
