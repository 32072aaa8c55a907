"""Set `last_active_at` of memberships that were last active by a post or an RSVP."""

from django.db import migrations
from django.db.models import Max, OuterRef, Subquery

BATCH = 500


def look_back(apps, schema_editor):
    membership = apps.get_model("clubs", "Membership")
    posts = apps.get_model("clubs", "Post").objects.filter(
        club=OuterRef("club"), author=OuterRef("user"), deleted_at=None, hidden_at=None
    )
    answers = apps.get_model("clubs", "Rsvp").objects.filter(meeting__club=OuterRef("club"), user=OuterRef("user"))
    latest = {
        "said": Subquery(posts.order_by("-created_at").values("created_at")[:1]),
        "answered": Subquery(answers.order_by("-answered_at").values("answered_at")[:1]),
    }
    last, end = 0, membership.objects.aggregate(end=Max("pk"))["end"] or 0
    while last < end:
        rows = list(membership.objects.filter(pk__gt=last).order_by("pk").annotate(**latest)[:BATCH])
        moved = []
        for row in rows:
            moments = [moment for moment in (row.last_active_at, row.said, row.answered) if moment]
            if moments and max(moments) != row.last_active_at:
                row.last_active_at = max(moments)
                moved.append(row)
        membership.objects.bulk_update(moved, ["last_active_at"])
        last = rows[-1].pk if rows else end


class Migration(migrations.Migration):
    dependencies = [
        ("clubs", "0014_post_of_author"),
        ("reviews", "0005_aside"),
    ]

    operations = [
        migrations.RunPython(look_back, migrations.RunPython.noop),
    ]
