from typing import Any

from django.db import migrations
from django.db.models import Count, F


def forward(apps: Any, schema_editor: Any) -> None:
    """Count the ratings that members share with clubs on the reading lists of their private clubs."""
    _count(apps, schema_editor, +1)


def back(apps: Any, schema_editor: Any) -> None:
    """Subtract these ratings."""
    _count(apps, schema_editor, -1)


def _count(apps: Any, schema_editor: Any, sign: int) -> None:
    database = schema_editor.connection.alias
    entries = apps.get_model("clubs", "Entry").objects.using(database)
    shared = apps.get_model("reviews", "Review").objects.using(database)
    rows = shared.filter(
        visibility="clubs",
        hidden_at=None,
        rating__isnull=False,
        book__entries__club__visibility="private",
        author__memberships__club=F("book__entries__club"),
        author__memberships__status="active",
    )
    for entry, rating, n in rows.order_by().values_list("book__entries", "rating").annotate(n=Count("pk")):
        column = f"stars_{rating}"
        entries.filter(pk=entry).update(**{column: F(column) + sign * n})


class Migration(migrations.Migration):
    dependencies = [("reviews", "0001_initial"), ("clubs", "0002_search_index")]

    operations = [migrations.RunPython(forward, back)]
