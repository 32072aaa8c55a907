from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("clubs", "0008_fill_finished_on")]

    operations = [
        migrations.RemoveField(model_name=model, name="finished_at")
        for model in ("entry", "progress", "archivedentry", "archivedprogress")
    ]
