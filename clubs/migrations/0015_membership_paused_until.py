from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clubs", "0014_membership_paused_since")]

    operations = [
        migrations.AddField(
            "membership",
            "paused_until",
            models.DateField(blank=True, editable=False, null=True, verbose_name="paused until"),
        ),
    ]
