from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('meetings', '0011_weekday'),
    ]

    operations = [
        migrations.AddField(
            model_name='rsvp',
            name='before_change',
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
    ]
