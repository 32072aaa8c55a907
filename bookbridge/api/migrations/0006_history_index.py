from django.db import migrations

TABLE, NAME = "django_admin_log", "api_history_of_row"


def forward(apps, schema_editor):
    # The column is a text, of which MariaDB and MySQL index the beginning.
    beginning = "(20)" if schema_editor.connection.vendor == "mysql" else ""
    schema_editor.execute(f"CREATE INDEX {NAME} ON {TABLE} (object_id{beginning}, content_type_id)")


def back(apps, schema_editor):
    of = f" ON {TABLE}" if schema_editor.connection.vendor == "mysql" else ""
    schema_editor.execute(f"DROP INDEX {NAME}{of}")


class Migration(migrations.Migration):
    """What was done to one row in the admin is found by an index; Django's own table has none for it."""

    # MariaDB and MySQL commit at each DDL statement, and Django refuses those within a transaction there.
    atomic = False

    dependencies = [("api", "0005_audit_verb_outcome"), ("admin", "0003_logentry_add_action_flag_choices")]

    operations = [migrations.RunPython(forward, back, elidable=False)]
