from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('meetings', '0004_record_changes'),
    ]

    operations = [
        migrations.AddField(
            model_name='meeting',
            name='others_attended',
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False, verbose_name='attendees without an account'),
        ),
    ]
