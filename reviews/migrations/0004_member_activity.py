"""Set `last_active_at` of existing memberships from progress and reviews."""

from django.db import migrations
from django.db.models import Max, OuterRef, Subquery

BATCH = 500


def look_back(apps, schema_editor):
    membership = apps.get_model("clubs", "Membership")
    marks = apps.get_model("clubs", "Progress").objects.filter(
        entry__club=OuterRef("club"), user=OuterRef("user"), hidden=False
    )
    written = apps.get_model("reviews", "Review").objects.filter(
        author=OuterRef("user"), visibility="public", hidden_at=None
    )
    latest = {
        "marked": Subquery(marks.order_by("-updated_at").values("updated_at")[:1]),
        "wrote": Subquery(written.order_by("-created_at").values("created_at")[:1]),
    }
    last, end = 0, membership.objects.aggregate(end=Max("pk"))["end"] or 0
    while last < end:
        rows = list(membership.objects.filter(pk__gt=last).order_by("pk").annotate(**latest)[:BATCH])
        for row in rows:
            row.last_active_at = max((moment for moment in (row.marked, row.wrote) if moment), default=None)
        membership.objects.bulk_update((row for row in rows if row.last_active_at), ["last_active_at"])
        last = rows[-1].pk if rows else end


class Migration(migrations.Migration):
    dependencies = [
        ("clubs", "0007_membership_by_activity"),
        ("reviews", "0003_importing"),
    ]

    operations = [
        migrations.RunPython(look_back, migrations.RunPython.noop),
    ]
