from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clubs", "0006_membership_activity"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="membership",
            index=models.Index(fields=["club", "status", "last_active_at"], name="clubs_membership_by_activity"),
        ),
    ]
