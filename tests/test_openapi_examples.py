"""Each operation of the OpenAPI document has an example of its request and response, recorded from the server.

After a change, record them again and look at the difference:

    script/record-examples
"""

import json
import os
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from tests.catalog.conftest import open_library  # noqa: F401  a fixture
from tests.examples.recorder import START, without_ids
from tests.examples.walk import record_examples

COMMAND = "run script/record-examples"
# Requests without an example, with the reason.
WITHOUT_REQUEST = dict.fromkeys(
    ("setAvatar", "setBookCover", "setClubCover"), "JSON cannot contain the bytes of an image"
)
# Responses without an example.
WITHOUT_RESPONSE = dict.fromkeys(("getClubYearCard", "getMyYearCard"), "the response is a picture")


def build_document() -> dict[str, Any]:
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return document


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document with the committed examples. The first test does not use it, since it may record them anew."""
    return build_document()


def committed() -> dict[str, Any]:
    examples: dict[str, Any] = json.loads(settings.OPENAPI_EXAMPLES.read_text(encoding="utf-8"))
    return examples


def media_types(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the media types of all requests and successful responses by `(operation id, "request" or status)`."""
    found = {}
    for methods in document["paths"].values():
        for operation in methods.values():
            parts = {status: part for status, part in operation["responses"].items() if status.startswith("2")}
            for name, part in {"request": operation.get("requestBody", {}), **parts}.items():
                for content in part.get("content", {}).values():
                    found[operation["operationId"], name] = content
    return found


@pytest.mark.django_db(transaction=True)  # InnoDB's full-text index contains committed rows only
@pytest.mark.usefixtures("open_library")
def test_examples_are_those_that_the_server_sends(settings, mailoutbox):
    settings.REPORTS_TO_HIDE = 1
    settings.VAPID_PRIVATE_KEY = ec.derive_private_key(START.toordinal(), ec.SECP256R1())
    with time_machine.travel(START, tick=False) as clock:
        recorded = record_examples(build_document(), clock)
    if os.environ.get("RECORD_EXAMPLES"):
        text = json.dumps(recorded, indent=2, ensure_ascii=False) + "\n"
        settings.OPENAPI_EXAMPLES.write_text(text, encoding="utf-8")
    differing = {
        name
        for name in recorded.keys() | committed().keys()
        if without_ids(recorded.get(name)) != without_ids(committed().get(name))
    }
    assert not differing, f"{COMMAND}: {sorted(differing)}"


def test_each_operation_has_an_example(document):
    missing = {
        f"{name}: {part}"
        for (name, part), content in media_types(document).items()
        if "examples" not in content and name not in (WITHOUT_REQUEST if part == "request" else WITHOUT_RESPONSE)
    }
    assert not missing, f"add calls to tests/examples/ and {COMMAND}: {sorted(missing)}"


def test_examples_belong_to_operations(document):
    parts = set(media_types(document))
    recorded = {
        (name, part)
        for name, exchange in committed().items()
        for part in [*exchange.keys() & {"request"}, *exchange.get("responses", {})]
    }
    assert not recorded - parts, f"{COMMAND}: {sorted(recorded - parts)}"
    assert WITHOUT_REQUEST.keys() <= {name for name, _part in parts - recorded}


def test_examples_match_their_schemas(document):
    errors = []
    for (name, part), content in media_types(document).items():
        schema = {**content["schema"], "components": document["components"]}
        validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
        for example in content.get("examples", {}).values():
            errors += [
                f"{name} {part}: {error.json_path} {error.message}" for error in validator.iter_errors(example["value"])
            ]
    assert errors == []
