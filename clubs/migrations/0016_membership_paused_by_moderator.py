from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clubs", "0015_membership_paused_until")]

    operations = [
        migrations.AddField(
            "membership",
            "paused_by_moderator",
            models.BooleanField(db_default=False, default=False, editable=False, verbose_name="paused by a moderator"),
        ),
    ]
