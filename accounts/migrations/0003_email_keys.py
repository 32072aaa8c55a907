from django.db import migrations

from core.search.normalize import normalize_identifier


def recompute_email_keys(apps, schema_editor):
    """Write the domains in A-labels.

    Of several accounts that have verified the same mailbox in two spellings, the oldest keeps it; the others keep the
    address, no longer verified, and sign in with their username.
    """
    users = apps.get_model("accounts", "User").objects.using(schema_editor.connection.alias)
    rows = users.exclude(email="").order_by("pk").values_list("pk", "email", "email_key")
    changed = [(pk, key) for pk, email, old in rows.iterator() if (key := normalize_identifier(email)) != old]
    for pk, key in changed:
        users.filter(verified_email_key=key, pk__gt=pk).update(email_verified=False)
        if users.filter(verified_email_key=key, pk__lt=pk).exists():
            users.filter(pk=pk).update(email_verified=False)
        users.filter(pk=pk).update(email_key=key)


class Migration(migrations.Migration):
    """Compare e-mail addresses with their domains in A-labels."""

    dependencies = [("accounts", "0002_search_index")]

    # The former keys are found by nobody and are replaced when the address changes, so nothing needs to be undone.
    operations = [migrations.RunPython(recompute_email_keys, migrations.RunPython.noop)]
