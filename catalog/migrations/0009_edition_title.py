from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0008_normalized_words_again'),
    ]

    operations = [
        migrations.AddField(
            model_name='edition',
            name='title',
            field=models.CharField(blank=True, db_default='', default='', help_text='The title of this edition, if it is not that of the book.', max_length=500, verbose_name='title'),
        ),
    ]
