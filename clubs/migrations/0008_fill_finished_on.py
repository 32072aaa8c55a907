import datetime
from zoneinfo import ZoneInfo

from django.db import migrations

BATCH_SIZE = 1000
# By model: the relation to the object in whose time zone the day is.
OWNERS = {"Entry": "club", "ArchivedEntry": "club", "Progress": "user", "ArchivedProgress": "user"}


def forward(apps, schema_editor):
    alias = schema_editor.connection.alias
    # A book that was set back kept its time.
    entries = apps.get_model("clubs", "Entry").objects.using(alias)
    entries.exclude(status="finished").update(finished_at=None)
    _fill(apps, alias, "finished_at", "finished_on", _to_day)
    _convert_changes(apps, alias, "finished_at", "finished_on", _text_to_day)


def backward(apps, schema_editor):
    alias = schema_editor.connection.alias
    _fill(apps, alias, "finished_on", "finished_at", _to_time)
    _convert_changes(apps, alias, "finished_on", "finished_at", _text_to_time)


def _to_day(time, zone):
    return time.astimezone(zone).date()


def _to_time(day, zone):
    return datetime.datetime.combine(day, datetime.time(12), zone)


def _text_to_day(text, zone):
    return text and _to_day(datetime.datetime.fromisoformat(text), zone).isoformat()


def _text_to_time(text, zone):
    return text and _to_time(datetime.date.fromisoformat(text), zone).isoformat()


def _fill(apps, alias, source, target, convert):
    for model, owner in OWNERS.items():
        rows = apps.get_model("clubs", model).objects.using(alias)
        remaining = rows.filter(**{f"{source}__isnull": False}).select_related(owner).order_by("pk")
        while batch := list(remaining[:BATCH_SIZE]):
            for row in batch:
                zone = ZoneInfo(getattr(row, owner).timezone)
                setattr(row, target, convert(getattr(row, source), zone))
                setattr(row, source, None)
            rows.bulk_update(batch, [source, target])


def _convert_changes(apps, alias, source, target, convert):
    """Convert the values that merged entries took over, `{field: [before, after]}`, which are text."""
    rows = apps.get_model("clubs", "ArchivedEntry").objects.using(alias)
    for row in rows.filter(changes__has_key=source).select_related("club").iterator(BATCH_SIZE):
        zone = ZoneInfo(row.club.timezone)
        row.changes[target] = [convert(text, zone) for text in row.changes.pop(source)]
        row.save(update_fields=["changes"])


class Migration(migrations.Migration):
    """Store the day on which a book was finished, in the time zone of the club or user.

    A change of the time zone no longer moves books to another month or year.
    """

    dependencies = [("clubs", "0007_finished_on")]

    operations = [migrations.RunPython(forward, backward)]
