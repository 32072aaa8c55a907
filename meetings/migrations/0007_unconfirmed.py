from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('meetings', '0006_reminded_at'),
    ]

    operations = [
        migrations.AddField(
            model_name='meeting',
            name='unconfirmed',
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False, verbose_name='unconfirmed'),
        ),
    ]
