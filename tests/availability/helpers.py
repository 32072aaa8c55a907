"""Helpers for tests of availability."""

from typing import Any

from clubs.models import Entry
from tests.clubs.helpers import CLUBS


def url(entry: Entry, rest: str = "") -> str:
    return f"{CLUBS}{entry.club_id}/books/{entry.pk}/access/{rest}"


def say(client: Any, entry: Entry, answer: str, **values: Any) -> Any:
    response = client.put(url(entry, "mine/"), {"answer": answer} | values)
    assert response.status_code == 200, response.content
    return response.json()


def access(client: Any, entry: Entry) -> Any:
    response = client.get(url(entry))
    assert response.status_code == 200, response.content
    return response.json()


def counts(client: Any, entry: Entry) -> list[int | None]:
    found = access(client, entry)
    return [found[name] for name in ("have", "can", "cannot", "unanswered")]
