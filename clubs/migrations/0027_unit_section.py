from django.db import migrations, models

CHOICES = [("percent", "percent"), ("page", "pages"), ("minutes", "minutes"), ("section", "sections")]


class Migration(migrations.Migration):
    """Add a choice; the columns do not change."""

    dependencies = [("clubs", "0026_archived_sections")]

    operations = [
        migrations.AlterField(
            model, "unit", models.CharField(choices=CHOICES, max_length=10, verbose_name="unit")
        )
        for model in ("progress", "archivedprogress")
    ]
