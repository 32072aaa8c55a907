"""Add the language of cases, by which moderators filter the queue."""

from django.db import migrations

import core.db.fields


class Migration(migrations.Migration):
    dependencies = [("moderation", "0003_verbose_names")]

    operations = [
        migrations.AddField(
            model_name="case",
            name="language",
            field=core.db.fields.BinaryCollationCharField(
                blank=True,
                db_default="",
                default="",
                help_text="The primary language of the content or, where that is unknown, of its author.",
                max_length=8,
                verbose_name="language",
            ),
        )
    ]
