"""What several tests of reading lists do and read answers with."""

from typing import Any

from clubs.models import Club, Entry
from clubs.reading import services


def url(club: Club, entry: Entry | int | None = None, rest: str = "") -> str:
    """The address of a list, of an entry, or of what is below it."""
    pk = entry.pk if isinstance(entry, Entry) else entry
    return f"/api/v1/clubs/{club.pk}/books/" + (f"{pk}/{rest}" if pk else "")


def codes(response: Any) -> dict[str, str]:
    """The errors of a 400 as `{field: code}`."""
    assert response.status_code == 400, response.content
    return {error["field"]: error["code"] for error in response.json()["errors"]}


def refusal(response: Any) -> tuple[int, str]:
    """Status and code of a refusal."""
    return response.status_code, response.json()["code"]


def titles(response: Any) -> list[str]:
    """The titles on a page of a list, which must stand at 1, 2, 3 and so on."""
    assert response.status_code == 200, response.content
    rows = response.json()["results"]
    assert [row["position"] for row in rows] == list(range(1, len(rows) + 1))
    return [row["book"]["title"] for row in rows]


def assert_counted() -> None:
    """The counters of all books are what a recount gives."""
    assert list(services.miscounted()) == []
