from django.db import migrations, models


def _add(model: str, **options: bool) -> migrations.AddField:
    field = models.DateField(null=True, verbose_name="finished on", **options)
    return migrations.AddField(model_name=model, name="finished_on", field=field)


class Migration(migrations.Migration):
    dependencies = [("clubs", "0006_fill_progress_finished_at")]

    operations = [
        _add("entry", blank=True, editable=False),
        _add("progress", blank=True, editable=False),
        _add("archivedentry"),
        _add("archivedprogress"),
    ]
