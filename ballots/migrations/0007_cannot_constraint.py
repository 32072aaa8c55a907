from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ballots', '0006_unreachable'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='ballot',
            constraint=models.CheckConstraint(condition=models.Q(('max_cannot_percent__isnull', True), ('max_cannot_percent__range', (0, 100)), _connector='OR'), name='ballots_ballot_cannot'),
        ),
    ]
