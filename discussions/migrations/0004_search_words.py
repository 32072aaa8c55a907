from django.db import migrations

from core.db.recompute import recompute_columns
from core.search.fields import build_search_text
from discussions.querysets import club_search_word


def set_search_text(post):
    post.search_text = f"{club_search_word(post.club_id)} {build_search_text([post.body])}"


def forward(apps, schema_editor):
    # The text of a deleted post is empty.
    posts = apps.get_model("discussions", "Post").objects.using(schema_editor.connection.alias).exclude(search_text="")
    recompute_columns(posts, ["search_text"], set_search_text)


class Migration(migrations.Migration):
    """Store the words of posts as they are normalized now."""

    atomic = False

    dependencies = [("discussions", "0003_qualified_reactions")]

    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
