"""Helpers for tests of reading lists."""

from typing import Any

from clubs.models import Club, Entry
from clubs.reading import services


def url(club: Club, entry: Entry | int | None = None, rest: str = "") -> str:
    """Return the URL of a list, an entry, or a resource below it."""
    pk = entry.pk if isinstance(entry, Entry) else entry
    return f"/api/v1/clubs/{club.pk}/books/" + (f"{pk}/{rest}" if pk else "")


def codes(response: Any) -> dict[str, str]:
    """Return the errors of a 400 response as `{field: code}`."""
    assert response.status_code == 400, response.content
    return {error["field"]: error["code"] for error in response.json()["errors"]}


def status_and_code(response: Any) -> tuple[int, str]:
    """Return status and code of an error response."""
    return response.status_code, response.json()["code"]


def titles(response: Any) -> list[str]:
    """Return the titles on a page and check that positions are 1..n."""
    assert response.status_code == 200, response.content
    rows = response.json()["results"]
    assert [row["position"] for row in rows] == list(range(1, len(rows) + 1))
    return [row["book"]["title"] for row in rows]


def assert_counted() -> None:
    """Check the counters of all books."""
    assert list(services.miscounted()) == []
