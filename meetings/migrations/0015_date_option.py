import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('meetings', '0014_date_poll'),
    ]

    operations = [
        migrations.CreateModel(
            name='DateOption',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.DateTimeField(verbose_name='starts at')),
                ('poll', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='options', to='meetings.datepoll')),
            ],
            options={
                'verbose_name': 'date of a poll',
                'verbose_name_plural': 'dates of polls',
                'constraints': [models.UniqueConstraint(fields=('poll', 'starts_at'), name='meetings_dateoption_once')],
            },
        ),
    ]
