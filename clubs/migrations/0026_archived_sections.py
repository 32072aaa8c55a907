from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clubs", "0025_archived_reading_number")]

    operations = [
        migrations.AddField("archivedentry", "sections", models.JSONField(null=True, verbose_name="sections")),
    ]
