from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clubs", "0017_membership_paused")]

    operations = [
        migrations.AddField(
            "progress",
            "stopped",
            models.BooleanField(
                default=False,
                db_default=False,
                help_text="Whether the user has stopped reading the book.",
                verbose_name="stopped",
            ),
        ),
    ]
