import core.db.fields
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_verbose_names'),
        ('activity', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Device',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('session', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.authsession', verbose_name='sign-in')),
                ('kind', core.db.fields.BinaryCollationCharField(choices=[('webpush', 'Web Push'), ('fcm', 'Firebase Cloud Messaging'), ('apns', 'Apple Push Notification service')], max_length=10)),
                ('token', models.TextField(help_text='The token of the push service, or its endpoint.', max_length=2000)),
                ('token_digest', core.db.fields.BinaryCollationCharField(editable=False, help_text='SHA-256 of the token, which is too long for an index.', max_length=64, unique=True)),
                ('p256dh', core.db.fields.BinaryCollationCharField(blank=True, editable=False, max_length=100)),
                ('auth', core.db.fields.BinaryCollationCharField(blank=True, editable=False, max_length=50)),
                ('name', models.CharField(blank=True, max_length=100, verbose_name='name')),
                ('app_version', models.CharField(blank=True, max_length=50)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created at')),
            ],
            options={
                'verbose_name': 'device',
                'verbose_name_plural': 'devices',
            },
        ),
    ]
