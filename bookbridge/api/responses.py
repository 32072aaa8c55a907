"""What the OpenAPI document says of answers that many operations give."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse

from bookbridge.api.errors import PROBLEM_TYPE

PROBLEM = {"$ref": "#/components/schemas/Problem"}
NOTHING = OpenApiResponse(description="Done; no content.")


def problem(status: int, description: str) -> dict[Any, Any]:
    """An error worth a word, for `responses`: `{204: NOTHING, **problem(409, "`club_full`.")}`."""
    return {(status, PROBLEM_TYPE): OpenApiResponse(PROBLEM, description=description)}
