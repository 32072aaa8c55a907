import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('meetings', '0016_date_answer'),
    ]

    operations = [
        migrations.CreateModel(
            name='DateChoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_yes', models.BooleanField()),
                ('answer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='choices', to='meetings.dateanswer')),
                ('option', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='choices', to='meetings.dateoption')),
            ],
            options={
                'verbose_name': 'choice in a date poll',
                'verbose_name_plural': 'choices in date polls',
                'constraints': [models.UniqueConstraint(fields=('answer', 'option'), name='meetings_datechoice_once')],
            },
        ),
    ]
