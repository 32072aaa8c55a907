from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clubs", "0024_entry_listed_again")]

    operations = [
        migrations.AddField(
            "archivedentry",
            "reading_number",
            models.PositiveSmallIntegerField(default=1, db_default=1, verbose_name="reading number"),
        ),
    ]
