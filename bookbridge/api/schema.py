"""The OpenAPI document, kept true by being made from the code."""

from typing import Any

from drf_spectacular.openapi import AutoSchema as BaseAutoSchema

PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details: the one shape of every error.",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Stable, for programs."},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {name: {"type": "string"} for name in ("field", "code", "detail")},
            },
        },
    },
}


class AutoSchema(BaseAutoSchema):
    """drf-spectacular's reading of a view, with the project's tags: the first part of the path."""

    def get_tags(self) -> list[str]:
        """`books` for `/api/v1/books/{id}/`."""
        return [self.path.removeprefix("/api/v1/").split("/")[0]]


def describe_problems(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Post-processing hook: each operation may answer a problem."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path in result["paths"].values():
        for operation in path.values():
            operation["responses"].setdefault("default", {"description": "A problem.", "content": content})
    return result
