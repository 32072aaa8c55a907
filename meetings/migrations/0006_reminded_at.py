from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('meetings', '0005_others_attended'),
    ]

    operations = [
        migrations.AddField(
            model_name='meeting',
            name='reminded_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
