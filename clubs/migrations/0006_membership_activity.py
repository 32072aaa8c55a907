from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clubs", "0005_entry_figures"),
    ]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="last_active_at",
            field=models.DateTimeField(
                editable=False, help_text="Time of the last activity that other members can see.", null=True
            ),
        ),
    ]
