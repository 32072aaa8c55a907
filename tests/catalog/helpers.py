"""Helpers for tests of the catalog."""

from typing import Any


def codes(response: Any) -> dict[str, str]:
    """Return the errors of a 400 response as `{field: code}`."""
    assert response.status_code == 400, response.content
    return {error["field"]: error["code"] for error in response.json()["errors"]}


def titles(response: Any) -> list[str]:
    """Return the titles on a page of a list."""
    assert response.status_code == 200, response.content
    return [book["title"] for book in response.json()["results"]]
