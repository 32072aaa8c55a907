from typing import Any

from django.db import migrations
from emoji import EMOJI_DATA, STATUS


def forward(apps: Any, schema_editor: Any) -> None:
    """Store every reaction in the fully qualified form of its emoji; `key` was unique, so none become equal."""
    reactions = apps.get_model("discussions", "Reaction").objects.using(schema_editor.connection.alias)
    qualified = {
        text.replace("\ufe0f", ""): text
        for text, data in EMOJI_DATA.items()
        if data["status"] in (STATUS["fully_qualified"], STATUS["component"])
    }
    for key in reactions.order_by().values_list("key", flat=True).distinct():
        reactions.filter(key=key).update(emoji=qualified.get(key, key))


class Migration(migrations.Migration):
    dependencies = [("discussions", "0002_search_index")]

    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
