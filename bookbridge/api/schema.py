"""The OpenAPI document, kept true by being made from the code."""

from typing import Any

from drf_spectacular.openapi import AutoSchema as BaseAutoSchema
from drf_spectacular.plumbing import build_media_type_object, get_doc
from drf_spectacular.utils import Direction, OpenApiParameter
from rest_framework.permissions import AllowAny, IsAuthenticated

from bookbridge.api.errors import PROBLEM_TYPE

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

# What is wrong with a field, beside what its own limits say (`required`, `null`, `blank`, `max_length` and so on).
FIELD_CODES = {
    "body": (
        *("does_not_exist", "duplicate", "invisible", "not_one_line", "null_characters_not_allowed", "unknown"),
        *("out_of_range", "no_offset", "past", "too_far", "invalid_url"),
    ),
    "accounts": ("wrong_password", "reserved", "own_account", "always_on"),
    "pictures": ("invalid_image", "too_many_pixels"),
    "books and reviews": ("invalid_isbn", "no_half_step", "not_csv", "wrong_columns", "too_many_rows"),
    "clubs": (
        *("private_needs_invite", "not_a_member", "ends_before_start", "outside_list", "one_goal", "one_way"),
        *("not_proposed", "not_a_candidate", "no_entry"),
    ),
}
# What a problem tells beside the standard fields, and with which codes.
EXTRA_FIELDS = {
    "book": {"type": "integer", "description": "With `duplicate_isbn` and `book_merged`: the book to go on with."},
    "entry": {"type": "integer", "description": "With `already_listed`: the entry that has the book."},
    "allowed": {
        "type": "array",
        "items": {"type": "string"},
        "description": "With `illegal_transition`: the statuses that may come next.",
    },
    "until": {
        "type": "string",
        "format": "date-time",
        "description": "With `account_suspended` at a sign-in: when the suspension ends.",
    },
}
PROBLEM_SCHEMA = {
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
        **EXTRA_FIELDS,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {
                    "field": {"type": "string", "description": "Its path in the body, such as `authors.0`."},
                    "code": {
                        "type": "string",
                        "description": "Beside those of a field's own limits (`required`, `blank`, `max_length`, …) "
                        + "; ".join(
                            f"{what}: {', '.join(f'`{code}`' for code in codes)}" for what, codes in FIELD_CODES.items()
                        )
                        + ".",
                    },
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


# The answers that many operations share, by their status: a name for the document, and what it says.
SHARED = {
    304: ("NotModified", "`If-None-Match` has the `ETag` of what would be answered."),
    307: (
        "MovedOn",
        "`book_merged`: it is part of another by now, whose address is in `Location` and whose id in `book`.",
    ),
    400: (
        "Bad",
        "`invalid`, with `errors`; `invalid_parameter` for the query; `parse_error` for a body that is no JSON; "
        "`bad_request` where nothing can be read.",
    ),
    401: ("SignInNeeded", "`not_authenticated`; `authentication_failed` or `token_not_valid`; `account_suspended`."),
    403: (
        "Refused",
        "`permission_denied`; in a club `members_only`, `moderators_only` or `owner_only`, by what is needed.",
    ),
    404: ("Nothing", "`not_found`: not there, or not for the caller to know of. For a list: the `cursor` is none."),
    409: ("Clash", "`conflict` with a change at the same moment; `idempotency_in_progress` for the first call's."),
    412: ("Changed", "`precondition_failed`: it is not what `If-Match` names any more."),
    422: ("KeyUsed", "`idempotency_key_reused`: the key was sent with another body."),
    429: ("TooMany", "`throttled`; `Retry-After` says for how many seconds."),
}
# Of these the one refuses nobody and the other with 401.
OPEN_TO_ALL = (AllowAny, IsAuthenticated)
OTHERS = (
    "Any other problem: `too_large` (413), `unsupported_media_type` (415), `not_acceptable` (406), "
    "`method_not_allowed` (405), `invalid_idempotency_key` (400), `server_error` (500), "
    "`unavailable` (503, with `Retry-After`)."
)
HEADERS = {
    "ETag": {"schema": {"type": "string"}, "description": "For `If-None-Match`, and for `If-Match` of a change."},
    "Idempotency-Replayed": {
        "schema": {"type": "string", "enum": ["true"]},
        "description": "There where this is the answer to an earlier call with the same key.",
    },
    "Location": {"schema": {"type": "string", "format": "uri-reference"}},
    "Retry-After": {"schema": {"type": "integer"}},
    "WWW-Authenticate": {"schema": {"type": "string"}},
}
CONTENT = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


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
        return [KEY] if self._takes_key else [STATE] if self._compares_state else []

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        """What the view says, and the problems that follow from what it is."""
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for status in self._shared():
            name, said = SHARED[status]
            own = bodies.setdefault(str(status), {"$ref": f"#/components/responses/{name}"})
            if "description" in own:
                own["description"] = f"{own['description']} {said}".strip()
        for code, told in bodies.items():
            if code.startswith("2"):
                told["headers"] = {name: HEADERS[name] for name in self._headers()}
        return bodies

    def get_request_serializer(self) -> Any:
        """A DELETE takes a body only where `extend_schema` says so."""
        return None if self.method == "DELETE" else super().get_request_serializer()

    def _get_request_body(self, direction: Direction = "request") -> dict[str, Any] | None:
        """Its parent's, which knows of none for DELETE."""
        serializer = self.get_request_serializer() if self.method == "DELETE" else None
        if serializer is None:
            body: dict[str, Any] | None = super()._get_request_body(direction)
            return body
        schema, required = self._get_request_for_media_type(serializer, direction)
        return {"content": {"application/json": build_media_type_object(schema)}, "required": required}

    def _map_basic_serializer(self, serializer: Any, direction: Direction) -> dict[str, Any]:
        """Its parent's; but an answer has each of its fields, also what need not be sent, and lists may be empty."""
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)
        if direction == "response" and "properties" in schema:
            schema["required"] = sorted(schema["properties"])
            for field in schema["properties"].values():
                field.pop("minItems", None)
        return schema

    def _headers(self) -> list[str]:
        """Which headers of HEADERS what went well has."""
        return ["ETag"] * (self.method == "GET") + ["Idempotency-Replayed"] * self._takes_key

    def _insert_field_validators(self, field: Any, schema: dict[str, Any]) -> None:
        """Its parent's; but what may be empty is `anyOf`: to many a validator an empty text is an address as well."""
        super()._insert_field_validators(field, schema)
        if "oneOf" in schema:
            schema["anyOf"] = schema.pop("oneOf")

    def _shared(self) -> list[int]:
        """Which of the shared answers the operation gives."""
        guards = [guard for guard in self.view.get_permissions() if not isinstance(guard, OPEN_TO_ALL)]
        return [
            *([304] if self.method == "GET" else []),
            *([307] if getattr(self.view, "leads_on", False) and "{" in self.path else []),
            *([400, 401] if any(self.get_auth()) else [400]),
            *([403] if guards else []),
            *([404] if "{" in self.path or self._is_list_view() else []),
            *([409, 422] if self._takes_key else []),
            *([412] if self._compares_state else []),
            429,
        ]

    @property
    def _takes_key(self) -> bool:
        return self.method == "POST" and {} not in self.get_auth()

    @property
    def _compares_state(self) -> bool:
        """A view that finds one thing compares it before any change of it (`ConditionalWrites`)."""
        finds_one = hasattr(self.view, "find_object") and getattr(self.view, "detail", None) is not False
        return self.method in ("PUT", "PATCH", "DELETE") and finds_one

    def _said(self) -> str:
        name = getattr(self.view, "action", None) or self.method.lower()
        return get_doc(vars(type(self.view)).get(name)) or get_doc(type(self.view))


def describe_problems(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Post-processing hook: each operation may answer a problem, such as `server_error` or `unavailable`."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    components["responses"] = {
        name: {"description": said} | ({} if status == 304 else {"content": CONTENT})
        for status, (name, said) in SHARED.items()
    }
    for answer, header in (
        ("NotModified", "ETag"),
        ("MovedOn", "Location"),
        ("SignInNeeded", "WWW-Authenticate"),
        ("TooMany", "Retry-After"),
    ):
        components["responses"][answer]["headers"] = {header: HEADERS[header]}
    for path in result["paths"].values():
        for operation in path.values():
            operation["responses"].setdefault("default", {"description": OTHERS, "content": CONTENT})
    return result
