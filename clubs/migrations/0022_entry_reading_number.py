from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clubs", "0021_sections")]

    operations = [
        migrations.AddField(
            "entry",
            "reading_number",
            models.PositiveSmallIntegerField(
                default=1, db_default=1, editable=False, verbose_name="reading number"
            ),
        ),
    ]
