"""Fixtures for the tests of the API layer."""

import json
from typing import Any

import pytest
from django.core.cache import caches
from rest_framework.test import APIClient

from core.redis import breaker


def reset_cache() -> None:
    """Recreate the cache with the current settings."""
    from django_redis.pool import ConnectionFactory

    if hasattr(caches._connections, "default"):
        del caches["default"]
    vars(caches).pop("settings", None)
    ConnectionFactory._pools.clear()
    breaker.open_until = 0.0


@pytest.fixture
def lenient() -> APIClient:
    """A client that returns 500 instead of raising the exception."""
    return APIClient(raise_request_exception=False)


@pytest.fixture
def problem():
    """Assert that a response is a problem with this status and code; return its body."""

    def check(response: Any, status: int, code: str | None = None) -> dict[str, Any]:
        assert response.status_code == status, response.content[:500]
        assert response["Content-Type"] == "application/problem+json"
        document = json.loads(response.content)
        assert {"type", "title", "status", "detail", "code", "request_id"} <= set(document)
        assert document["status"] == status
        assert document["request_id"] == response["X-Request-ID"]
        assert document["title"]
        assert document["detail"]
        if code:
            assert document["code"] == code
        for error in document.get("errors", []):
            assert set(error) == {"field", "code", "detail"}
        for word in ("Traceback", "SELECT", "/srv", "site-packages", ".py"):
            assert word not in response.content.decode()
        return document

    return check
