"""Count the totals and the list entry statistics of existing rows."""

from collections import Counter

from django.db import migrations
from django.db.models import Count, F, Q, Sum

BATCH = 500


def count_totals(apps, schema_editor):
    totals = Counter()

    def count(name, rows, field):
        for at in rows.values_list(field, flat=True).iterator():
            totals.update({name: 1, f"{name} {at:%Y-%m}": 1})

    public = apps.get_model("reviews", "Review").objects.filter(visibility="public", hidden_at=None)
    finished = apps.get_model("clubs", "Entry").objects.filter(
        club__visibility="public", status="finished", finished_at__isnull=False
    )
    count("users", apps.get_model("accounts", "User")._base_manager.filter(is_active=True), "joined_at")
    count("clubs", apps.get_model("clubs", "Club").objects.filter(visibility="public"), "created_at")
    count("reviews", public, "created_at")
    count("finished", finished, "finished_at")
    totals["books"] = apps.get_model("catalog", "Book").objects.count()
    for rating, n in public.filter(rating__isnull=False).values_list("rating").annotate(n=Count("pk")):
        totals[f"stars_{rating}"] = n
    total = apps.get_model("api", "Total")
    total.objects.bulk_create((total(key=f"{name}#0", value=n) for name, n in totals.items() if n), batch_size=BATCH)


def forget_totals(apps, schema_editor):
    apps.get_model("api", "Total").objects.all().delete()


def count_entries(apps, schema_editor):
    entry, active = apps.get_model("clubs", "Entry"), {"user__memberships__status": "active"}
    in_pages = Q(unit="page")
    last = 0
    while ids := list(entry.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        last = ids[-1]
        marks = apps.get_model("clubs", "Progress").objects.filter(
            entry__in=ids, hidden=False, user__memberships__club=F("entry__club"), **active
        )
        sums = marks.values_list("entry").annotate(
            pages=Sum("amount", filter=in_pages), percents=Sum("percent", filter=~in_pages)
        )
        for pk, pages, percents in sums:
            entry.objects.filter(pk=pk).update(pages=pages or 0, percents=percents or 0)
        rated = apps.get_model("reviews", "Review").objects.filter(
            visibility="public",
            hidden_at=None,
            rating__isnull=False,
            book__entries__in=ids,
            author__memberships__club=F("book__entries__club"),
            author__memberships__status="active",
        )
        for pk, rating, n in rated.values_list("book__entries", "rating").annotate(n=Count("pk")):
            entry.objects.filter(pk=pk).update(**{f"stars_{rating}": n})


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_search_index"),
        ("api", "0002_totals"),
        ("catalog", "0005_statistics_indexes"),
        ("clubs", "0005_entry_figures"),
        ("reviews", "0001_initial"),
    ]

    operations = [
        migrations.RunPython(count_totals, forget_totals),
        migrations.RunPython(count_entries, migrations.RunPython.noop),
    ]
