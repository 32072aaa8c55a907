"""What the tests of accounts share."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.mail import EmailMessage
from rest_framework.test import APIClient

from tests.conftest import PASSWORD

V1 = "/api/v1/"


def codes(answer: Any) -> dict[str, set[str]]:
    """The bad fields of a 400 with their codes."""
    assert answer.status_code == 400, answer.content
    assert answer.json()["code"] == "invalid"
    found: dict[str, set[str]] = {}
    for error in answer.json()["errors"]:
        found.setdefault(error["field"], set()).add(error["code"])
    return found


def send(client: APIClient, method: str, path: str, body: Any, **headers: Any) -> Any:
    """A call whose body is exactly `body` in JSON: `null` and lone surrogates too, which DRF's client cannot send."""
    return client.generic(method.upper(), path, json.dumps(body), content_type="application/json", **headers)


def token_in(mail: EmailMessage) -> str:
    """The token of the link in a mail."""
    found = re.search(r"\?token=(\S+)$", mail.body, re.MULTILINE)
    assert found, mail.body
    return found[1]


@pytest.fixture
def mails_at_call(settings: Any) -> None:
    """Run tasks, which send the e-mails, when they are enqueued."""
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}


@pytest.fixture
def post(anonymous: APIClient) -> Callable[..., Any]:
    """A call of `auth/...` by nobody: `post("login", username="alice", password="...")`."""

    def call(route: str, **body: Any) -> Any:
        return anonymous.post(f"{V1}auth/{route}/", body)

    return call


@pytest.fixture
def sign_in(post: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    """A sign-in by name and password: the answer's body."""

    def call(username: str, password: str = PASSWORD, **body: Any) -> dict[str, Any]:
        answer = post("login", username=username, password=password, **body)
        assert answer.status_code == 200, answer.content
        own: dict[str, Any] = answer.json()
        return own

    return call


def bearer(access: str) -> APIClient:
    """A client that sends this access token."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    return client


def is_accepted(access: str) -> bool:
    """Whether a call with this access token is answered; if not, then with a proper 401."""
    answer = bearer(access).get(f"{V1}users/me/")
    if answer.status_code == 401:
        assert answer["WWW-Authenticate"] == "Bearer"
        assert answer["Content-Type"] == "application/problem+json"
    return bool(answer.status_code == 200)
