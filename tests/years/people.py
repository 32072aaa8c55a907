"""People who use the API, on whatever day it is."""

from __future__ import annotations

import datetime
from typing import Any

from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from tests.conftest import client_of

V1 = "/api/v1/"
HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)


class Person:
    """A user who signs in again when the access token has expired."""

    def __init__(self, user: User) -> None:
        self.user = user
        self._client = APIClient()
        self._signed_in_at: datetime.datetime | None = None

    @property
    def id(self) -> int:
        return self.user.pk

    @property
    def client(self) -> APIClient:
        now = timezone.now()
        if self._signed_in_at is None or not datetime.timedelta(0) <= now - self._signed_in_at < HOUR / 6:
            self._client, self._signed_in_at = client_of(self.user), now
        return self._client

    def sign_out(self) -> None:
        self._signed_in_at = None

    def call(self, method: str, path: str, body: Any = None, *, status: int) -> Any:
        response = getattr(self.client, method)(f"{V1}{path}", body)
        assert response.status_code == status, (method, path, response.content)
        is_json = response.headers.get("Content-Type", "").startswith(("application/json", "application/problem"))
        return response.json() if is_json else response

    def get(self, path: str, *, status: int = 200) -> Any:
        return self.call("get", path, status=status)

    def rows(self, path: str) -> list[Any]:
        """Return the rows of all pages of a list."""
        found: list[Any] = []
        next_page: str | None = f"{V1}{path}"
        while next_page:
            response = self.client.get(next_page)
            assert response.status_code == 200, response.content
            found += response.json()["results"]
            next_page = response.json()["next"]
        return found

    def post(self, path: str, body: Any = None, *, status: int = 201) -> Any:
        return self.call("post", path, body, status=status)

    def put(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        return self.call("put", path, body, status=status)

    def patch(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        return self.call("patch", path, body, status=status)

    def delete(self, path: str, *, status: int = 204) -> Any:
        return self.call("delete", path, status=status)


def moment(at: datetime.datetime) -> str:
    """Return a time as clients write it."""
    return f"{at.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"


def names(rows: list[Any]) -> list[str]:
    """Return the usernames of rows with a `user`."""
    return [row["user"]["username"] for row in rows]
