"""What an authenticator app and a browser do at the staff's sign-in."""

import base64
import re
import time
from typing import Any

from django.test import Client
from django_otp.oath import TOTP

from tests.conftest import PASSWORD

LOGIN, ENROL, OWN = "/admin/login/", "/admin/enrol/", "/admin/second-factor/"


def code_of(secret: str, *, steps: int = 0) -> str:
    """What the app shows now, or so many steps of 30 seconds later."""
    totp = TOTP(base64.b32decode(secret.replace(" ", "")))
    totp.time = time.time() + 30 * steps
    return f"{totp.token():06}"


def sign_in(client: Client, username: str, *, password: str = PASSWORD, code: str = "", **kwargs: Any) -> Any:
    """Send the form of the sign-in."""
    return client.post(LOGIN, {"username": username, "password": password, "code": code}, **kwargs)


def shown_secret(page: Any) -> str:
    """The secret on the page that an app reads."""
    return re.search(r'<code id="secret"[^>]*>([A-Z2-7 ]+)<', page.content.decode())[1].replace(" ", "")


def shown_codes(page: Any) -> list[str]:
    """The recovery codes on the page that shows them."""
    return re.findall(r">((?:[a-z2-7]{4}-){3}[a-z2-7]{4})<", page.content.decode())


def enrol(client: Client, username: str) -> tuple[str, list[str]]:
    """Sign in for the first time and set up an app: its secret, and the recovery codes."""
    assert sign_in(client, username).status_code == 302
    secret = shown_secret(client.get(ENROL))
    page = client.post(ENROL, {"code": code_of(secret)})
    assert page.status_code == 200
    return secret, shown_codes(page)
