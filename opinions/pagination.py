"""Pagination of opinions."""

from typing import Any

from catalog.ratings import histogram
from core.api.pagination import KeysetPagination

NULLABLE_TIME = {"type": ["string", "null"], "format": "date-time"}
SUMMARY_SCHEMA: dict[str, Any] = {
    "sealed": {"type": "boolean", "description": "Whether the list contains the caller's own opinion alone."},
    "opens_at": {
        **NULLABLE_TIME,
        "description": "When the opinions open or have opened; null without a seal, or if the meeting is cancelled.",
    },
    "given": {"type": "integer", "format": "int32", "minimum": 0, "description": "Number of opinions."},
    "mean": {"type": ["number", "null"], "format": "double", "description": "Mean rating; null while sealed."},
    "histogram": {
        "type": ["object", "null"],
        "properties": {stars: {"type": "integer", "format": "int32"} for stars in histogram({})},
        "required": list(histogram({})),
        "description": "Number of opinions per rating; null while sealed.",
    },
    "changed_minds": {
        "type": ["integer", "null"],
        "format": "int32",
        "description": "Number of members whose rating has changed since the opening; null while sealed.",
    },
}


class OpinionPagination(KeysetPagination):
    """Keyset pagination with the summary, which the view adds."""

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Add the summary to the schema."""
        envelope = super().get_paginated_response_schema(schema)
        envelope["properties"] |= SUMMARY_SCHEMA
        envelope["required"] += [*SUMMARY_SCHEMA]
        return envelope
