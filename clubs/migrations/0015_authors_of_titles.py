from django.db import migrations
from django.db.models import OuterRef, Subquery


def forward(apps, schema_editor):
    Thread, Post = apps.get_model("clubs", "Thread"), apps.get_model("clubs", "Post")
    authors = {
        "thread": Thread.objects.filter(pk=OuterRef("object_id")).values("author"),
        "post": Post.objects.filter(pk=OuterRef("object_id")).values("thread__author"),
    }
    for name in ("Event", "Notification"):
        rows = apps.get_model("activity", name).objects.using(schema_editor.connection.alias)
        for kind, author in authors.items():
            rows.filter(object_type=kind).update(object_author=Subquery(author))


class Migration(migrations.Migration):
    """Whose words the titles are that the log and the notifications have of threads."""

    dependencies = [("clubs", "0014_post_of_author"), ("activity", "0006_authors_of_titles")]

    operations = [migrations.RunPython(forward, migrations.RunPython.noop, elidable=True)]
