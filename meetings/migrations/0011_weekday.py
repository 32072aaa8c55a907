from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('meetings', '0010_week'),
    ]

    operations = [
        migrations.AddField(
            model_name='meetingseries',
            name='weekday',
            field=models.CharField(blank=True, choices=[('monday', 'Monday'), ('tuesday', 'Tuesday'), ('wednesday', 'Wednesday'), ('thursday', 'Thursday'), ('friday', 'Friday'), ('saturday', 'Saturday'), ('sunday', 'Sunday')], db_default='', default='', max_length=9),
        ),
    ]
