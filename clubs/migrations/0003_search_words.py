from django.db import migrations

from core.db.recompute import recompute_columns
from core.search.fields import build_search_text
from core.search.normalize import fold_case_and_accents


def set_keys(club):
    length = club._meta.get_field("name_key").max_length
    club.name_key = fold_case_and_accents(club.name)[:length].rstrip()
    club.search_text = build_search_text([club.name, club.description])


def forward(apps, schema_editor):
    clubs = apps.get_model("clubs", "Club").objects.using(schema_editor.connection.alias)
    recompute_columns(clubs.all(), ["name_key", "search_text"], set_keys)


class Migration(migrations.Migration):
    """Store the words of names and descriptions as they are normalized now."""

    atomic = False

    dependencies = [("clubs", "0002_search_index")]

    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
