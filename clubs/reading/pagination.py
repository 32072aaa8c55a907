"""Pagination of progress."""

from typing import Any

from core.api.pagination import KeysetPagination


class ProgressPagination(KeysetPagination):
    """Keyset pagination with `mean_percent`, which the view adds."""

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Add `mean_percent` to the schema."""
        envelope = super().get_paginated_response_schema(schema)
        envelope["properties"]["mean_percent"] = {"type": ["number", "null"], "minimum": 0, "maximum": 100}
        envelope["required"].append("mean_percent")
        return envelope
