from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ballots', '0004_max_cannot_percent'),
    ]

    operations = [
        migrations.AddField(
            model_name='ballot',
            name='recounts',
            field=models.JSONField(editable=False, help_text='[{without, reason, at, outcome, winner, rounds}], positions for entries.', null=True),
        ),
    ]
