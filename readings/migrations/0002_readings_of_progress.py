from django.db import migrations
from django.db.models import Exists, OuterRef

BATCH_SIZE = 1000


def forward(apps, schema_editor):
    """Create the readings of the progress that members have. It may be run again."""
    alias = schema_editor.connection.alias
    progress = apps.get_model("clubs", "Progress").objects.using(alias)
    model = apps.get_model("readings", "Reading")
    readings = model.objects.using(alias)
    existing = readings.filter(user=OuterRef("user"), entry=OuterRef("entry"), source="club")
    missing = progress.filter(~Exists(existing)).order_by("pk").values_list(
        "pk", "user", "entry", "entry__book", "percent", "hidden", "finished_on"
    )
    last = 0
    while batch := list(missing.filter(pk__gt=last)[:BATCH_SIZE]):
        last = batch[-1][0]
        readings.bulk_create(
            model(
                user_id=user,
                entry_id=entry,
                book_id=book,
                percent=percent,
                hidden=hidden,
                finished_on=finished_on,
                state="finished" if percent == 100 else "reading",
                source="club",
            )
            for _pk, user, entry, book, percent, hidden, finished_on in batch
        )


class Migration(migrations.Migration):
    dependencies = [("readings", "0001_initial"), ("clubs", "0018_progress_stopped")]

    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
