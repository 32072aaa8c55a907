"""Helpers for the two-factor login of staff."""

import base64
import re
import time
from typing import Any

from django.test import Client
from django_otp.oath import TOTP

from tests.conftest import PASSWORD

LOGIN, SETUP, SETTINGS = "/admin/login/", "/admin/two-factor/setup/", "/admin/two-factor/"


def totp_code(secret: str, *, steps: int = 0) -> str:
    """Return the current code, or the code `steps` periods of 30 seconds later."""
    totp = TOTP(base64.b32decode(secret.replace(" ", "")))
    totp.time = time.time() + 30 * steps
    return f"{totp.token():06}"


def sign_in(client: Client, username: str, *, password: str = PASSWORD, code: str = "", **kwargs: Any) -> Any:
    """Submit the login form."""
    return client.post(LOGIN, {"username": username, "password": password, "code": code}, **kwargs)


def get_secret(page: Any) -> str:
    """Return the secret on the setup page."""
    return re.search(r'<code id="secret"[^>]*>([A-Z2-7 ]+)<', page.content.decode())[1].replace(" ", "")


def get_recovery_codes(page: Any) -> list[str]:
    """Return the recovery codes on the page."""
    return re.findall(r">((?:[a-z2-7]{4}-){3}[a-z2-7]{4})<", page.content.decode())


def enroll(client: Client, username: str) -> tuple[str, list[str]]:
    """Log in for the first time and set up two-factor authentication. Return the secret and the recovery codes."""
    assert sign_in(client, username).status_code == 302
    secret = get_secret(client.get(SETUP))
    page = client.post(SETUP, {"code": totp_code(secret)})
    assert page.status_code == 200
    return secret, get_recovery_codes(page)
