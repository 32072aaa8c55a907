from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clubs", "0016_membership_paused_by_moderator")]

    operations = [
        migrations.AddIndex(
            "membership", models.Index(fields=["club", "paused_since"], name="clubs_membership_paused")
        ),
    ]
