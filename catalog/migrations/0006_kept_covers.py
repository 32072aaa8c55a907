from django.db import migrations, models


class Migration(migrations.Migration):
    """A cover may be the name of a picture that is kept here; the column is as it was."""

    dependencies = [
        ('catalog', '0005_statistics_indexes'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name='book',
                    name='cover_url',
                    field=models.CharField(blank=True, max_length=500),
                ),
            ],
        ),
    ]
