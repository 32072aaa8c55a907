from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('meetings', '0007_unconfirmed'),
    ]

    operations = [
        migrations.AddField(
            model_name='meeting',
            name='waitlist_notified_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
