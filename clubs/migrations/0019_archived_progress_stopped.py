from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clubs", "0018_progress_stopped")]

    operations = [
        migrations.AddField(
            "archivedprogress",
            "stopped",
            models.BooleanField(default=False, db_default=False, verbose_name="stopped"),
        ),
    ]
