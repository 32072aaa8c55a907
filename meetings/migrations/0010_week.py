from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('meetings', '0009_excluded_days'),
    ]

    operations = [
        migrations.AddField(
            model_name='meetingseries',
            name='week',
            field=models.SmallIntegerField(blank=True, null=True),
        ),
    ]
