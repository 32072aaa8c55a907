"""What several tests of the catalogue read answers with."""

from typing import Any


def codes(response: Any) -> dict[str, str]:
    """The errors of a 400 as `{field: code}`."""
    assert response.status_code == 400, response.content
    return {error["field"]: error["code"] for error in response.json()["errors"]}


def titles(response: Any) -> list[str]:
    """The titles of a list's page."""
    assert response.status_code == 200, response.content
    return [book["title"] for book in response.json()["results"]]
