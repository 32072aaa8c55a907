import accounts.validators
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('clubs', '0013_record_changes'),
        ('meetings', '0013_meeting_help_texts'),
    ]

    operations = [
        migrations.CreateModel(
            name='DatePoll',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=200, verbose_name='title')),
                ('timezone', models.CharField(max_length=64, validators=[accounts.validators.validate_timezone], verbose_name='timezone')),
                ('duration_minutes', models.PositiveIntegerField(default=60, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10080)], verbose_name='duration minutes')),
                ('place', models.CharField(blank=True, max_length=300, verbose_name='place')),
                ('url', models.CharField(blank=True, max_length=500, verbose_name='url')),
                ('capacity', models.PositiveIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10000)], verbose_name='capacity')),
                ('closes_at', models.DateTimeField(verbose_name='closes at')),
                ('status', models.CharField(choices=[('open', 'open for answers'), ('closed', 'closed')], default='open', max_length=10, verbose_name='status')),
                ('outcome', models.CharField(blank=True, choices=[('chosen', 'date chosen'), ('no_answers', 'no answers')], editable=False, max_length=10, verbose_name='outcome')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created at')),
                ('closed_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='closed at')),
                ('club', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='date_polls', to='clubs.club', verbose_name='club')),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='created by')),
                ('entry', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='date_polls', to='clubs.entry', verbose_name='entry')),
                ('meeting', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='date_polls', to='meetings.meeting', verbose_name='meeting')),
            ],
            options={
                'verbose_name': 'date poll',
                'verbose_name_plural': 'date polls',
                'indexes': [models.Index(fields=['club', 'created_at', 'id'], name='meetings_datepoll_by_age'), models.Index(fields=['club', 'status', 'created_at', 'id'], name='meetings_datepoll_by_status'), models.Index(fields=['club', 'status', 'closes_at'], name='meetings_datepoll_due')],
                'constraints': [models.CheckConstraint(condition=models.Q(('capacity__isnull', True), ('capacity__range', (1, 10000)), _connector='OR'), name='meetings_datepoll_capacity'), models.CheckConstraint(condition=models.Q(('duration_minutes__range', (1, 10080))), name='meetings_datepoll_duration')],
            },
        ),
    ]
