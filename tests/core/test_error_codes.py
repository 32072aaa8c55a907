"""The table of error codes in the guide for app developers is that of the OpenAPI document."""

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from drf_spectacular.generators import SchemaGenerator

from tests.server import TOP

GUIDE = TOP / "docs/mobile.md"
BEGIN, END = "<!-- error codes -->\n", "<!-- end of error codes -->\n"
CODE = re.compile(r"`([a-z]+(?:_[a-z]+)*)`")
# Names in the descriptions that are no codes.
OTHER_NAMES = {"book", "cursor", "errors", "file", "review", "spoiler_percent", "until"}


def documented_codes(document: dict[str, Any]) -> Iterator[tuple[int, str, str]]:
    """Yield status, code and operation of each problem; the operation is empty for what many operations share."""
    shared = document["components"]["responses"].values()
    descriptions = {response["description"] for response in shared}
    for name, response in document["components"]["responses"].items():
        status = next(
            int(status)
            for methods in document["paths"].values()
            for operation in methods.values()
            for status, found in operation["responses"].items()
            if found.get("$ref", "").endswith(f"/{name}") or response["description"] in found.get("description", "")
        )
        yield from ((status, code, "") for code in CODE.findall(response["description"]) if status >= 400)
    for methods in document["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                text = response.get("description", "")
                for description in descriptions:
                    text = text.replace(description, "")
                if status == "default":
                    pairs = re.findall(r"`([a-z_]+)` \((\d{3})", text)
                    yield from ((int(number), code, "") for code, number in pairs)
                elif status >= "400":
                    yield from ((int(status), code, operation["operationId"]) for code in CODE.findall(text))


def build_table() -> str:
    operations = defaultdict(set)
    for status, code, operation in documented_codes(SchemaGenerator().get_schema(request=None, public=True)):
        if code not in OTHER_NAMES:
            operations[status, code].add(operation)
    rows = ["| status | code | of |", "| --- | --- | --- |"]
    for (status, code), names in sorted(operations.items()):
        where = "any call" if "" in names else ", ".join(f"`{name}`" for name in sorted(names))
        rows.append(f"| {status} | `{code}` | {where} |")
    return "\n".join(rows) + "\n"


def test_error_codes_of_the_guide_are_those_of_the_document() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    shown, _, after = rest.partition(END)
    table = build_table()
    if os.environ.get("UPDATE_ERROR_CODES"):
        GUIDE.write_text(f"{before}{BEGIN}{table}{END}{after}", encoding="utf-8")
    assert {"invalid_invite", "already_member", "token_reused", "throttled"} <= set(CODE.findall(table))
    assert shown == table
