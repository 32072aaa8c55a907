"""Responses for `extend_schema`."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse

from bookbridge.api.errors import PROBLEM_TYPE

PROBLEM = {"$ref": "#/components/schemas/Problem"}
NOTHING = OpenApiResponse(description="No content.")


def problem(status: int, description: str) -> dict[Any, Any]:
    """Describe a specific problem: `responses={204: NOTHING, **problem(409, "`club_full`.")}`."""
    return {(status, PROBLEM_TYPE): OpenApiResponse(PROBLEM, description=description)}
