import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('meetings', '0015_date_option'),
    ]

    operations = [
        migrations.CreateModel(
            name='DateAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('answered_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='date_answers', to=settings.AUTH_USER_MODEL, verbose_name='user')),
                ('poll', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='answers', to='meetings.datepoll')),
            ],
            options={
                'verbose_name': 'answer to a date poll',
                'verbose_name_plural': 'answers to date polls',
                'indexes': [models.Index(fields=['poll', 'answered_at', 'id'], name='meetings_dateanswer_by_time')],
                'constraints': [models.UniqueConstraint(fields=('poll', 'user'), name='meetings_dateanswer_once')],
            },
        ),
    ]
