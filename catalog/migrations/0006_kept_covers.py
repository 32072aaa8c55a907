from django.db import migrations, models


class Migration(migrations.Migration):
    """Allow the name of a stored image as a cover; the column itself does not change."""

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
