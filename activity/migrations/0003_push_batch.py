import core.db.fields
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('activity', '0002_device'),
    ]

    operations = [
        migrations.AddField(
            model_name='notification',
            name='push_batch',
            field=core.db.fields.BinaryCollationCharField(editable=False, help_text='Set until the push notifications have been sent once.', max_length=32, null=True),
        ),
    ]
