from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clubs", "0013_record_changes")]

    operations = [
        migrations.AddField(
            "membership",
            "paused_since",
            models.DateTimeField(blank=True, editable=False, null=True, verbose_name="paused since"),
        ),
    ]
