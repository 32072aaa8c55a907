from django.db import migrations, models

INDEXES = {
    "moderation_case_queue": ["-severity", "opened_at", "id"],
    "moderation_case_age": ["opened_at"],
    "moderation_case_appeals": ["is_appealed"],
}


class Migration(migrations.Migration):
    dependencies = [("moderation", "0001_initial")]

    operations = [
        *(migrations.RemoveIndex("case", name) for name in INDEXES),
        migrations.RenameField("case", "state", "status"),
        *(
            migrations.AddIndex("case", models.Index(fields=["status", *fields], name=name))
            for name, fields in INDEXES.items()
        ),
    ]
