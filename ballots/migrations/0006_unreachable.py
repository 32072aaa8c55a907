from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ballots', '0005_recounts'),
    ]

    operations = [
        migrations.AddField(
            model_name='candidate',
            name='unreachable',
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
