"""The OpenAPI document, kept true by being made from the code."""

from typing import Any

from drf_spectacular.openapi import AutoSchema as BaseAutoSchema
from drf_spectacular.plumbing import get_doc
from drf_spectacular.utils import OpenApiParameter

KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255},
    OpenApiParameter.HEADER,
    description="Of the client's making. Sent again with the same body within 24 hours it gets the first answer again.",
)
STATE = OpenApiParameter(
    "If-Match",
    {"type": "string"},
    OpenApiParameter.HEADER,
    description="The `ETag` that GET gave: 412 where the object has changed since.",
)

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
    """drf-spectacular's reading of a view, with the project's tags: the first part of the path.

    What a view says of an operation is the docstring of its own method, or its own docstring; what a method says that
    it inherited is about every view. The first line is the summary, unless `extend_schema` gives another.
    """

    def get_tags(self) -> list[str]:
        """`books` for `/api/v1/books/{id}/`."""
        return [self.path.removeprefix("/api/v1/").split("/")[0]]

    def get_summary(self) -> str:
        """The first line."""
        return self._said().partition("\n")[0].rstrip(".")

    def get_description(self) -> str:  # type: ignore[override]  # as its parent has it
        """All of it, or what comes after the summary."""
        first, _, rest = self._said().partition("\n")
        return rest.strip() if first.rstrip(".") == self.get_summary() else self._said()

    def get_override_parameters(self) -> list[Any]:
        """The headers that make a call safe to send again, where they count."""
        actions = getattr(self.view, "action_map", None)
        reads_one = actions.get("get") == "retrieve" if actions else hasattr(self.view, "get")
        if self.method == "POST" and {} not in self.get_auth():
            return [KEY]
        return [STATE] if self.method in ("PUT", "PATCH", "DELETE") and reads_one else []

    def _said(self) -> str:
        name = getattr(self.view, "action", None) or self.method.lower()
        return get_doc(vars(type(self.view)).get(name)) or get_doc(type(self.view))


def describe_problems(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Post-processing hook: each operation may answer a problem."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path in result["paths"].values():
        for operation in path.values():
            operation["responses"].setdefault("default", {"description": "A problem.", "content": content})
    return result
