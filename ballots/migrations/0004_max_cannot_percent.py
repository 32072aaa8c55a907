from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ballots', '0003_ballot_paused'),
    ]

    operations = [
        migrations.AddField(
            model_name='ballot',
            name='max_cannot_percent',
            field=models.PositiveSmallIntegerField(blank=True, help_text='Exclude books that a greater percentage of the active members cannot get at closing time.', null=True, verbose_name='maximum percentage who cannot get a book'),
        ),
    ]
