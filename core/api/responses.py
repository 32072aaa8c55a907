"""Responses for `extend_schema`."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse

from core.api.exceptions import PROBLEM_CONTENT_TYPE

PROBLEM = {"$ref": "#/components/schemas/Problem"}
NO_CONTENT = OpenApiResponse(description="No content.")


def problem_schema(status: int, description: str) -> dict[Any, Any]:
    """Describe a specific problem: `responses={204: NO_CONTENT, **problem_schema(409, "`club_full`.")}`."""
    return {(status, PROBLEM_CONTENT_TYPE): OpenApiResponse(PROBLEM, description=description)}
