"""Post-processing hooks of the OpenAPI document (`SPECTACULAR_SETTINGS`), for client generators."""

import json
from collections.abc import Iterator
from typing import Any

from django.conf import settings

from core.api.schema import (
    COMMON_RESPONSES,
    DEFAULT_RESPONSE_DESCRIPTION,
    HEADERS,
    PROBLEM_CONTENT,
    PROBLEM_SCHEMA,
)

NULL_ENUM = "#/components/schemas/NullEnum"
# Integers that are ids, in addition to `id`, `ids` and names that end in `_id`. All others are counts or amounts.
ID_NAMES = frozenset(
    "appeal approved attended ballot ballots book candidates club date_poll decision devices eliminated entry imports"
    " lent_to meeting my_review option post ranking reply_to report review series session thread user winner".split()
)
MAX_INT32 = 2**31 - 1
# The maximum of `IdField`.
MAX_BIGINT = 2**63 - 1
# Headers that every request may have, by the name of the component.
REQUEST_HEADERS = {
    "AcceptLanguage": (
        "Accept-Language",
        {"type": "string"},
        "The language of messages: `en` (default) or `pt-BR`.",
    ),
    "RequestId": (
        "X-Request-ID",
        {"type": "string"},
        "An id for the logs, which the response repeats. An invalid one is replaced.",
    ),
}
# Headers that every response may have, likewise.
RESPONSE_HEADERS = {
    "RequestId": ("X-Request-ID", "The id of the request in the logs."),
    "RateLimit": (
        "RateLimit",
        'For each rate that the call counts on: `"user";r=1187;t=42` stands for 1,187 further calls in 42 seconds.',
    ),
    "RateLimitPolicy": ("RateLimit-Policy", '`"user";q=1200;w=60` stands for 1,200 calls in 60 seconds.'),
}
IF_NONE_MATCH = ("If-None-Match", {"type": "string"}, "The `ETag` of an earlier response; 304 if it is current.")


def inline_null(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Post-processing hook: inline the `null` of nullable enums instead of referencing the component `NullEnum`."""
    result["components"]["schemas"].pop("NullEnum", None)
    _inline_null_refs(result)
    return result


def _inline_null_refs(node: Any) -> None:
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        if isinstance(child, dict) and child.get("$ref") == NULL_ENUM:
            child.clear()
            child["type"] = "null"
        else:
            _inline_null_refs(child)


def describe_numbers(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Post-processing hook: ids are int64, other integers int32, and all other numbers double."""
    for name, node in _named_schemas(result, ""):
        types = node["type"] if isinstance(node["type"], list) else [node["type"]]
        if types == ["number"] and is_id(name):
            node |= {"type": "integer", "format": "int64"}  # a filter by id (`IdFilter`)
        elif "number" in types:
            node["format"] = "double"
        elif "integer" in types and (is_id(name) or node.get("maximum") == MAX_BIGINT):
            node["format"] = "int64"
        elif "integer" in types:
            node["format"] = "int32"
            if node.get("maximum", 0) > MAX_INT32:
                node["maximum"] = MAX_INT32
        elif types == ["string"] and set(node.get("enum", ())) == {"true", "false"}:
            node.pop("enum")
            node["type"] = "boolean"
    return result


def is_id(name: str) -> bool:
    """Return whether a property or parameter with this name is an id."""
    return name in ("id", "ids") or name.endswith("_id") or name in ID_NAMES


def _named_schemas(node: Any, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield all schemas that have a type, with the name of their property or parameter."""
    if isinstance(node, list):
        for child in node:
            yield from _named_schemas(child, name)
    elif isinstance(node, dict):
        if isinstance(node.get("type"), str | list):
            yield name, node
        for key, child in node.items():
            if key == "properties":
                for property_name, schema in child.items():
                    yield from _named_schemas(schema, property_name)
            elif key not in ("enum", "example", "examples", "default"):
                yield from _named_schemas(child, str(node["name"]) if key == "schema" and "name" in node else name)


def describe_headers(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Post-processing hook: declare the headers that all requests or all reads take, and open operations."""
    components = result["components"]
    headers = {**REQUEST_HEADERS, "IfNoneMatch": IF_NONE_MATCH}
    components["parameters"] = {
        key: {"in": "header", "name": name, "schema": schema, "description": description}
        for key, (name, schema, description) in headers.items()
    }
    components["headers"] = {
        key: {"schema": {"type": "string"}, "description": text} for key, (_name, text) in RESPONSE_HEADERS.items()
    }
    shared = {name: {"$ref": f"#/components/headers/{key}"} for key, (name, _text) in RESPONSE_HEADERS.items()}
    for path in result["paths"].values():
        for method, operation in path.items():
            keys = [*REQUEST_HEADERS, *(["IfNoneMatch"] if method == "get" else [])]
            references = [{"$ref": f"#/components/parameters/{key}"} for key in keys]
            operation["parameters"] = [*operation.get("parameters", []), *references]
            if operation.get("security", [{}]) == [{}]:
                operation["security"] = []
            for response in operation["responses"].values():
                if "$ref" not in response:
                    response.setdefault("headers", {}).update(shared)
    for response in components["responses"].values():
        response.setdefault("headers", {}).update(shared)
    return result


def add_problem_responses(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Post-processing hook: add the shared responses, and to each operation the default one (`server_error`, …)."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    components["responses"] = {
        name: {"description": description} | ({} if status == 304 else {"content": PROBLEM_CONTENT})
        for status, (name, description) in COMMON_RESPONSES.items()
    }
    for name, header in (
        ("NotModified", "ETag"),
        ("MergedBookRedirect", "Location"),
        ("Unauthorized", "WWW-Authenticate"),
        ("TooManyRequests", "Retry-After"),
    ):
        components["responses"][name]["headers"] = {header: HEADERS[header]}
    for path in result["paths"].values():
        for operation in path.values():
            operation["responses"].setdefault(
                "default", {"description": DEFAULT_RESPONSE_DESCRIPTION, "content": PROBLEM_CONTENT}
            )
    return result


def add_examples(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Post-processing hook: add the recorded exchange of each operation (`settings.OPENAPI_EXAMPLES`)."""
    recorded = json.loads(settings.OPENAPI_EXAMPLES.read_text(encoding="utf-8"))
    for path in result["paths"].values():
        for operation in path.values():
            name = operation["operationId"]
            exchange = recorded.get(name, {})
            if "request" in exchange:
                _add_example(operation.get("requestBody", {}), name, exchange["request"])
            for status, body in exchange.get("responses", {}).items():
                _add_example(operation["responses"].get(status, {}), name, body)
    return result


def _add_example(part: dict[str, Any], name: str, value: Any) -> None:
    for media_type in part.get("content", {}).values():
        media_type["examples"] = {name: {"value": value}}
