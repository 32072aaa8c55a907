"""The OpenAPI document, generated from the code."""

from typing import Any

from drf_spectacular.openapi import AutoSchema as BaseAutoSchema
from drf_spectacular.plumbing import build_media_type_object, get_doc
from drf_spectacular.utils import Direction, OpenApiParameter
from rest_framework.permissions import AllowAny, IsAuthenticated

from core.api.exceptions import PROBLEM_CONTENT_TYPE
from core.api.write_responses import WRITE_METHODS

IDEMPOTENCY_KEY_HEADER = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255},
    OpenApiParameter.HEADER,
    description="Chosen by the client. A retry with the same key and body within 24 hours gets the stored response; "
    "the body is compared as a JSON value, or as the parts of an upload.",
)
IF_MATCH_HEADER = OpenApiParameter(
    "If-Match",
    {"type": "string"},
    OpenApiParameter.HEADER,
    description="The `ETag` of a GET or of a write, or its weak form. 412 if the object has changed since.",
)

# Error codes of fields, in addition to those of the field's own limits (`required`, `null`, `blank`, `max_length`, …).
FIELD_CODES = {
    "body": (
        *("does_not_exist", "duplicate", "invisible", "not_one_line", "null_characters_not_allowed", "unknown"),
        *("out_of_range", "no_offset", "past", "too_far", "invalid_url"),
    ),
    "accounts": ("wrong_password", "reserved", "own_account", "always_on"),
    "devices": ("not_https", "not_public"),
    "images": ("invalid_image", "too_many_pixels"),
    "books and reviews": ("invalid_isbn", "no_half_step", "not_csv", "wrong_columns", "too_many_rows"),
    "clubs": (
        *("private_needs_invite", "not_a_member", "ends_before_start", "outside_list", "one_goal", "one_way"),
        *("in_future", "not_finished", "finished", "not_ascending", "not_whole", "zero"),
        *("not_proposed", "not_a_candidate", "no_entry", "closes_too_late", "not_in_series", "not_monthly", "empty"),
        *("cancelled", "not_owned", "not_the_winner", "yourself"),
    ),
}


def _id(*codes: str) -> dict[str, Any]:
    """Describe the id of the object that a problem with one of these codes is about."""
    return {
        "type": "integer",
        "format": "int64",
        "description": f"With {', '.join(f'`{code}`' for code in codes)}: its id.",
    }


# Fields of a problem in addition to the standard ones, and the codes that they come with.
EXTRA_FIELDS = {
    "book": {
        "allOf": [{"$ref": "#/components/schemas/BookSummary"}],
        "description": "With `duplicate_isbn` and `book_merged`: the book to use. With `book_in_use` and "
        "`already_reviewed`: the book.",
    },
    "club": {
        "allOf": [{"$ref": "#/components/schemas/ClubSummary"}],
        "description": "With `already_member`, `club_full`, `limit_below_members`, `owner_must_transfer` and "
        "`too_many_ballots` and `too_many_polls`: the club.",
    },
    "user": {
        "allOf": [{"$ref": "#/components/schemas/UserSummary"}],
        "description": "With `not_a_member` and `not_pending`: the user.",
    },
    "username": {"type": "string", "description": "With `username_taken`: the name."},
    "email": {"type": "string", "description": "With `email_taken` and `nothing_to_verify`: the address, or empty."},
    "entry": _id("already_listed", "already_open", "illegal_transition", "under_way"),
    "review": _id("already_reviewed"),
    "meeting": _id("meeting_cancelled", "meeting_over", "no_maybe"),
    "ballot": _id("ballot_closed", "ballot_open", "too_late"),
    "date_poll": _id("poll_closed"),
    "thread": _id("thread_closed"),
    "post": _id("post_deleted", "too_many_reactions"),
    "report": _id("already_reported"),
    "appeal": _id("already_appealed"),
    "target_type": {"type": "string", "description": "With `nothing_to_appeal`: as it was sent."},
    "target_id": _id("nothing_to_appeal"),
    "imports": {
        "type": "array",
        "items": {"type": "integer", "format": "int64"},
        "description": "With `too_many_imports`: the ids of the unfinished ones.",
    },
    "devices": {
        "type": "array",
        "items": {"type": "integer", "format": "int64"},
        "description": "With `too_many_devices`: the ids of the caller's, the oldest first.",
    },
    "idempotency_key": {"type": "string", "description": "With `idempotency_in_progress`: the key."},
    "allowed": {
        "type": "array",
        "items": {"type": "string"},
        "description": "With `illegal_transition`: the statuses that are allowed next.",
    },
    "until": {
        "type": "string",
        "format": "date-time",
        "description": "With `account_suspended` on login: the end of the suspension. With `reminded_already`: when "
        "the members can be reminded again.",
    },
}
PROBLEM_SCHEMA = {
    "type": "object",
    "description": "RFC 9457 problem details, the format of every error.",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Stable and machine-readable."},
        "request_id": {"type": "string"},
        **EXTRA_FIELDS,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {
                    "field": {"type": "string", "description": "Path in the body, such as `authors.0`."},
                    "code": {
                        "type": "string",
                        "description": "In addition to the field's own limits (`required`, `blank`, `max_length`, …) "
                        + "; ".join(
                            f"{subject}: {', '.join(f'`{code}`' for code in codes)}"
                            for subject, codes in FIELD_CODES.items()
                        )
                        + ".",
                    },
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


# Responses that many operations share, by status: the name of the component and its description.
COMMON_RESPONSES = {
    304: ("NotModified", "`If-None-Match` has the current `ETag`."),
    307: (
        "MergedBookRedirect",
        "`book_merged`: the book has been merged into another one: its URL is in `Location`, its summary in `book`.",
    ),
    400: (
        "BadRequest",
        "`invalid`, with `errors`; `invalid_parameter` for the query; `parse_error` for a body that is not JSON; "
        "`bad_request` for a malformed request.",
    ),
    401: ("Unauthorized", "`not_authenticated`; `authentication_failed` or `token_not_valid`; `account_suspended`."),
    403: (
        "Forbidden",
        "`permission_denied`; in a club `members_only`, `moderators_only` or `owner_only`, the role that is required.",
    ),
    404: (
        "NotFound",
        "`not_found`: does not exist, or the caller may not know that it does. For a list: invalid `cursor`.",
    ),
    409: ("Conflict", "`conflict` with another change; `idempotency_in_progress` while the first call is running."),
    412: ("PreconditionFailed", "`precondition_failed`: `If-Match` does not have the current `ETag`."),
    422: ("IdempotencyKeyReused", "`idempotency_key_reused`: the key was used with a different body."),
    429: ("TooManyRequests", "`throttled`; `Retry-After` is in seconds."),
}
# Neither leads to 403: the first allows everyone, the second leads to 401.
UNRESTRICTED_PERMISSIONS = (AllowAny, IsAuthenticated)
DEFAULT_RESPONSE_DESCRIPTION = (
    "Any other problem: `too_large` (413), `unsupported_media_type` (415), `not_acceptable` (406), "
    "`method_not_allowed` (405), `invalid_idempotency_key` (400), `server_error` (500), "
    "`unavailable` (503, with `Retry-After`)."
)
HEADERS: dict[str, dict[str, Any]] = {
    "ETag": {"schema": {"type": "string"}, "description": "For `If-None-Match`, and for the `If-Match` of a write."},
    "Idempotency-Replayed": {
        "schema": {"type": "string", "enum": ["true"]},
        "description": "Present if this is the stored response to an earlier call with the same key.",
    },
    "Location": {"schema": {"type": "string", "format": "uri-reference"}},
    "Retry-After": {"schema": {"type": "integer"}},
    "WWW-Authenticate": {"schema": {"type": "string"}},
}
# For `extend_schema(parameters=...)` of an action that sets these headers itself.
NEW_OBJECT_HEADERS = [
    OpenApiParameter(
        name,
        HEADERS[name]["schema"],
        OpenApiParameter.HEADER,
        description=f"The `{name}` of the new object.",
        response=[201],
    )
    for name in ("ETag", "Location")
]
# Patterns that replace formats where the string may be empty, which is neither an e-mail address nor a URL.
PATTERNS_BY_FORMAT = {"email": r"[^@\s]+@[^@\s]+", "uri": r"[^\s:]+:\S+"}
PROBLEM_CONTENT = {PROBLEM_CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


class AutoSchema(BaseAutoSchema):
    """drf-spectacular's description of an operation, with the headers and the problems that follow from the view.

    Summary and description come from the docstring of the view's method, or from that of the view if the method has
    none or is inherited from DRF. The first line is the summary, unless `extend_schema` sets one.
    """

    def get_paginated_name(self, serializer_name: str) -> str:
        """Return `PaginatedBookList` for `BookList` too, not `PaginatedBookListList`."""
        return f"Paginated{serializer_name.removesuffix('List')}List"

    def get_summary(self) -> str:
        """Return the first line of the docstring."""
        return self._docstring().partition("\n")[0].rstrip(".")

    def get_description(self) -> str:  # type: ignore[override]  # as in the base class
        """Return the docstring, without its first line if that is the summary."""
        if self.method == "DELETE" and not self._method_docstring():
            # The view's docstring describes what is deleted, not the call.
            return ""
        first, _, rest = self._docstring().partition("\n")
        return rest.strip() if first.rstrip(".") == self.get_summary() else self._docstring()

    def get_override_parameters(self) -> list[Any]:
        """Return the header that makes the call safe to retry, if there is one."""
        return (
            [IDEMPOTENCY_KEY_HEADER]
            if self._supports_idempotency_key
            else [IF_MATCH_HEADER]
            if self._supports_if_match
            else []
        )

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for status in self._common_statuses():
            name, description = COMMON_RESPONSES[status]
            response = bodies.setdefault(str(status), {"$ref": f"#/components/responses/{name}"})
            if "description" in response:
                response["description"] = f"{response['description']} {description}".strip()
        for code, response in bodies.items():
            if code.startswith("2"):
                headers = {name: HEADERS[name] for name in self._headers(int(code), "content" in response)}
                response["headers"] = response.get("headers", {}) | headers
        return bodies

    def get_request_serializer(self) -> Any:
        """Return the serializer of the body; a DELETE has a body only if `extend_schema` says so."""
        return None if self.method == "DELETE" else super().get_request_serializer()

    def _get_request_body(self, direction: Direction = "request") -> dict[str, Any] | None:
        # drf-spectacular never generates a request body for DELETE.
        serializer = self.get_request_serializer() if self.method == "DELETE" else None
        if serializer is None:
            body: dict[str, Any] | None = super()._get_request_body(direction)
            return body
        schema, required = self._get_request_for_media_type(serializer, direction)
        return {"content": {"application/json": build_media_type_object(schema)}, "required": required}

    def _map_basic_serializer(self, serializer: Any, direction: Direction) -> dict[str, Any]:
        # A response has every field, also those that are optional in a request, and its lists may be empty.
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)
        if direction == "response" and "properties" in schema:
            schema["required"] = sorted(schema["properties"].keys() - getattr(serializer, "optional_in_responses", ()))
            for field in schema["properties"].values():
                field.pop("minItems", None)
        return schema

    def _headers(self, status: int, has_body: bool) -> list[str]:
        view: Any = self.view
        writes_object = self.method in WRITE_METHODS and has_body and getattr(view, "responds_with_object", False)
        created = writes_object and status in (201, 202) and view.has_location
        return [
            *(["ETag"] if self.method == "GET" or writes_object else []),
            *(["Location"] if created else []),
            *(["Idempotency-Replayed"] if self._supports_idempotency_key else []),
        ]

    def _insert_field_validators(self, field: Any, schema: dict[str, Any]) -> None:
        # A string that may be empty gets a pattern, because client generators turn `oneOf` into a class without fields.
        super()._insert_field_validators(field, schema)
        variants = schema.pop("oneOf", [])
        if {"type": "null"} in variants:
            schema["anyOf"] = variants
        elif variants:
            text, _empty = variants
            pattern = PATTERNS_BY_FORMAT.get(text.pop("format", ""), text.get("pattern", ".*"))
            schema |= text | {"pattern": f"^({pattern.removeprefix('^').removesuffix('$')})?$"}

    def _common_statuses(self) -> list[int]:
        """Return the statuses of the shared responses that the operation has."""
        restricted = [p for p in self.view.get_permissions() if not isinstance(p, UNRESTRICTED_PERMISSIONS)]
        return [
            *([304] if self.method == "GET" else []),
            *([307] if getattr(self.view, "redirects_merged_books", False) and "{" in self.path else []),
            *([400, 401] if any(self.get_auth()) else [400]),
            *([403] if restricted else []),
            *([404] if "{" in self.path or self._is_list_view() else []),
            *([409, 422] if self._supports_idempotency_key else []),
            *([412] if self._supports_if_match else []),
            429,
        ]

    @property
    def _supports_idempotency_key(self) -> bool:
        return self.method == "POST" and {} not in self.get_auth()

    @property
    def _supports_if_match(self) -> bool:
        """Whether the view finds one object, which it compares before a write (`IfMatchMixin`)."""
        finds_one = hasattr(self.view, "get_unlocked_object") and getattr(self.view, "detail", None) is not False
        return self.method in ("PUT", "PATCH", "DELETE") and finds_one

    def _method_docstring(self) -> str:
        name = getattr(self.view, "action", None) or self.method.lower()
        owner = next((cls for cls in type(self.view).__mro__ if name in vars(cls)), object)
        return "" if owner.__module__.startswith("rest_framework.") else get_doc(vars(owner).get(name))

    def _docstring(self) -> str:
        return self._method_docstring() or get_doc(type(self.view))
