from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('activity', '0003_push_batch'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='notification',
            index=models.Index(fields=['push_batch', 'id'], name='activity_notification_pushes'),
        ),
    ]
