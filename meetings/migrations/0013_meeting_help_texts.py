from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('meetings', '0012_before_change'),
    ]

    operations = [
        migrations.AlterField(
            model_name='meeting',
            name='attended_count',
            field=models.PositiveIntegerField(blank=True, editable=False, help_text='How many people attended; empty if not recorded.', null=True, verbose_name='number of attendees'),
        ),
        migrations.AlterField(
            model_name='meetingseries',
            name='count',
            field=models.PositiveSmallIntegerField(help_text='How many meetings were planned, with the excluded days.'),
        ),
    ]
