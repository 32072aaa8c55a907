import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.mail import EmailMessage
from rest_framework.test import APIClient

from accounts import services
from bookbridge.api import jobs, mail
from tests.conftest import PASSWORD

V1 = "/api/v1/"


def codes(response: Any) -> dict[str, set[str]]:
    assert response.status_code == 400, response.content
    assert response.json()["code"] == "invalid"
    codes_by_field: dict[str, set[str]] = {}
    for error in response.json()["errors"]:
        codes_by_field.setdefault(error["field"], set()).add(error["code"])
    return codes_by_field


def send(client: APIClient, method: str, path: str, body: Any, **headers: Any) -> Any:
    """Send exactly `body` as JSON, including `null` and lone surrogates, which DRF's client cannot send."""
    return client.generic(method.upper(), path, json.dumps(body), content_type="application/json", **headers)


def token_in(mail: EmailMessage) -> str:
    found = re.search(r"\?token=(\S+)$", mail.body, re.MULTILINE)
    assert found, mail.body
    return found[1]


@pytest.fixture
def immediate_emails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the tasks that send e-mails at once, inside the request."""

    def at_once(name: str, /, **payload: Any) -> bool:
        jobs.handlers[name].work(**payload)
        return True

    for module in (services, mail):
        monkeypatch.setattr(module, "enqueue", at_once)


@pytest.fixture
def post(anonymous: APIClient) -> Callable[..., Any]:
    """Post to `auth/...` anonymously: `post("login", username="alice", password="...")`."""

    def call(route: str, **body: Any) -> Any:
        return anonymous.post(f"{V1}auth/{route}/", body)

    return call


@pytest.fixture
def sign_in(post: Callable[..., Any]) -> Callable[..., dict[str, Any]]:

    def call(username: str, password: str = PASSWORD, **body: Any) -> dict[str, Any]:
        response = post("login", username=username, password=password, **body)
        assert response.status_code == 200, response.content
        body_received: dict[str, Any] = response.json()
        return body_received

    return call


def bearer(access: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    return client


def is_accepted(access: str) -> bool:
    response = bearer(access).get(f"{V1}users/me/")
    if response.status_code == 401:
        assert response["WWW-Authenticate"] == "Bearer"
        assert response["Content-Type"] == "application/problem+json"
    return bool(response.status_code == 200)
