"""The page of marks has the club's figure beside its results."""

from typing import Any

from bookbridge.api.pagination import KeysetPagination


class ProgressPagination(KeysetPagination):
    """The usual envelope with `mean_percent`, which the view adds."""

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The envelope, for the OpenAPI document."""
        envelope = super().get_paginated_response_schema(schema)
        envelope["properties"]["mean_percent"] = {"type": ["number", "null"], "minimum": 0, "maximum": 100}
        envelope["required"].append("mean_percent")
        return envelope
