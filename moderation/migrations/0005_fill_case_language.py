"""Fill the language of open cases with that of the author; a new report of the object sets the exact one."""

from typing import Any

from django.db import migrations

BATCH_SIZE = 500


def fill_languages(apps: Any, schema_editor: Any) -> None:
    """Set the language of open cases that have none, in batches."""
    cases = apps.get_model("moderation", "Case").objects.using(schema_editor.connection.alias)
    missing = cases.filter(status="open", language="").exclude(author=None).exclude(author__language="")
    last = 0
    while rows := list(missing.filter(pk__gt=last).order_by("pk").values_list("pk", "author__language")[:BATCH_SIZE]):
        by_language: dict[str, list[int]] = {}
        for pk, tag in rows:
            by_language.setdefault(tag.partition("-")[0].lower()[:8], []).append(pk)
        for language, ids in by_language.items():
            cases.filter(pk__in=ids).update(language=language)
        last = rows[-1][0]


class Migration(migrations.Migration):
    dependencies = [("moderation", "0004_case_language")]

    operations = [migrations.RunPython(fill_languages, migrations.RunPython.noop)]
