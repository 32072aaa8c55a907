from django.db import migrations

TABLE, NAME = "django_admin_log", "core_history_of_object"


def forward(apps, schema_editor):
    # The column is a text, of which MariaDB and MySQL index the beginning.
    prefix = "(20)" if schema_editor.connection.vendor == "mysql" else ""
    schema_editor.execute(f"CREATE INDEX {NAME} ON {TABLE} (object_id{prefix}, content_type_id)")


def back(apps, schema_editor):
    table = f" ON {TABLE}" if schema_editor.connection.vendor == "mysql" else ""
    schema_editor.execute(f"DROP INDEX {NAME}{table}")


class Migration(migrations.Migration):
    """Index the admin log by object; Django's own table has no index for an object's history."""

    # MariaDB and MySQL commit at each DDL statement, and Django refuses those within a transaction there.
    atomic = False

    dependencies = [("core", "0001_initial"), ("admin", "0003_logentry_add_action_flag_choices")]

    operations = [migrations.RunPython(forward, back, elidable=False)]
