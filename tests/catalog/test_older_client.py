"""The client of the older catalog service, with a new base URL only: no trailing slashes, one token."""

import json
from typing import Any

import pytest
from django.test import Client


class OlderClient:
    """Sends JSON and `Authorization: Bearer` with the `access_token` it received."""

    def __init__(self) -> None:
        self.http = Client()
        self.token = ""

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        data = json.dumps(body).encode() if body is not None else b""
        return self.http.generic(method, f"/api/v1{path}", data, "application/json", headers=headers)


@pytest.mark.django_db
def test_older_client_registers_and_manages_books() -> None:
    client = OlderClient()
    credentials = {"username": "reader1", "password": "a long enough secret"}

    registered = client.call("POST", "/auth/register", credentials)
    assert registered.status_code == 201
    assert registered.json()["access_token"]

    logged_in = client.call("POST", "/auth/login", credentials)
    assert logged_in.status_code == 200
    client.token = logged_in.json()["access_token"]

    created = client.call("POST", "/books", {"title": "Emma", "author": "Jane Austen"})
    assert created.status_code == 201
    book = created.json()
    assert (book["title"], book["author"]) == ("Emma", "Jane Austen")

    stranger = OlderClient()
    listed = stranger.call("GET", "/books")
    assert listed.status_code == 200
    assert [row["id"] for row in listed.json()["results"]] == [book["id"]]
    assert stranger.call("POST", "/books", {"title": "T", "author": "A"}).status_code == 401
    assert stranger.call("PUT", f"/books/{book['id']}", {"title": "T", "author": "A"}).status_code == 401
    assert stranger.call("DELETE", f"/books/{book['id']}").status_code == 401

    changed = client.call("PUT", f"/books/{book['id']}", {"title": "Persuasion", "author": "Jane Austen"})
    assert changed.status_code == 200
    assert changed.json()["title"] == "Persuasion"
    assert stranger.call("GET", f"/books/{book['id']}").json()["title"] == "Persuasion"

    assert client.call("DELETE", f"/books/{book['id']}").status_code == 204
    assert stranger.call("GET", f"/books/{book['id']}").status_code == 404


@pytest.mark.django_db
def test_older_client_cannot_change_other_users_books() -> None:
    first, second = OlderClient(), OlderClient()
    for name, client in (("reader1", first), ("reader2", second)):
        answer = client.call("POST", "/auth/register", {"username": name, "password": "a long enough secret"})
        client.token = answer.json()["access_token"]
    book = first.call("POST", "/books", {"title": "Emma", "author": "Jane Austen"}).json()
    assert second.call("PUT", f"/books/{book['id']}", {"title": "T", "author": "A"}).status_code == 403
    assert second.call("DELETE", f"/books/{book['id']}").status_code == 403
