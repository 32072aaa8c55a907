"""Published names: a client is generated from them, so each change must be deliberate.

After one, write the list anew:

    UPDATE_SCHEMA_NAMES=1 .venv/bin/python -m pytest -n 0 tests/core/test_schema_names.py
"""

import json
import os
import re
from pathlib import Path

from django.conf import settings
from drf_spectacular.generators import SchemaGenerator

LIST = Path(__file__).with_name("schema_names.json")


def published_names():
    document = SchemaGenerator().get_schema(request=None, public=True)
    operations = [
        (operation["operationId"], f"{method.upper()} {path}", operation["tags"])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return {
        "operations": {name: f"{call} ({tags[0]})" for name, call, tags in sorted(operations)},
        "schemas": sorted(document["components"]["schemas"]),
        "responses": sorted(document["components"]["responses"]),
    }, operations


def test_published_names_are_those_of_the_committed_list():
    names, _operations = published_names()
    if os.environ.get("UPDATE_SCHEMA_NAMES"):
        LIST.write_text(json.dumps(names, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    assert names == json.loads(LIST.read_text(encoding="utf-8"))


def test_operation_ids_are_unique_method_names():
    _names, operations = published_names()
    ids = [name for name, _call, _tags in operations]
    assert len(set(ids)) == len(ids)
    assert [name for name in ids if not re.fullmatch(r"[a-z][A-Za-z]*", name)] == []


def test_each_operation_has_one_declared_tag():
    _names, operations = published_names()
    declared = [tag["name"] for tag in settings.SPECTACULAR_SETTINGS["TAGS"]]
    assert [tags for _name, _call, tags in operations if len(tags) != 1 or tags[0] not in declared] == []
