"""Helpers for tests of `GET users/me/changes/`."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

CHANGES = "/api/v1/users/me/changes/"


def read(client: APIClient, since: str | None = None, **query: Any) -> dict[str, Any]:
    """Return one page."""
    response = client.get(CHANGES, query | ({} if since is None else {"since": since}))
    assert response.status_code == 200, response.content
    page: dict[str, Any] = response.json()
    return page


def read_all(client: APIClient, since: str | None = None, **query: Any) -> tuple[list[dict[str, Any]], str]:
    """Return the rows of all pages, and the last cursor."""
    rows: list[dict[str, Any]] = []
    while True:
        page = read(client, since, **query)
        rows, since = rows + page["results"], page["cursor"]
        if not page["has_more"]:
            return rows, page["cursor"]


def names(rows: list[dict[str, Any]]) -> list[tuple[str, int, bool]]:
    """Return type, id and whether it is deleted of each row."""
    return [(row["type"], row["id"], row["deleted"]) for row in rows]


def changed(client: APIClient, since: str) -> list[tuple[str, int, bool]]:
    """Return what has changed since a cursor."""
    return names(read_all(client, since)[0])
