"""Helpers for tests of opinions."""

from typing import Any

from clubs.models import Entry
from tests.clubs.helpers import CLUBS


def url(entry: Entry, rest: str = "") -> str:
    return f"{CLUBS}{entry.club_id}/books/{entry.pk}/{rest}"


def give(client: Any, entry: Entry, **opinion: Any) -> Any:
    response = client.put(url(entry, "opinion/"), opinion)
    assert response.status_code == 200, response.content
    return response.json()


def opinions(client: Any, entry: Entry) -> Any:
    response = client.get(url(entry, "opinions/"))
    assert response.status_code == 200, response.content
    return response.json()


def given(client: Any, entry: Entry) -> list[tuple[str, float | None]]:
    return sorted((row["user"]["username"], row["rating"]) for row in opinions(client, entry)["results"])
