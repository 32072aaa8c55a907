from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('meetings', '0008_waitlist_notified_at'),
    ]

    operations = [
        migrations.AddField(
            model_name='meetingseries',
            name='excluded_days',
            field=models.JSONField(blank=True, help_text="[YYYY-MM-DD, ...] in the series' time zone.", null=True),
        ),
    ]
