"""Two-factor admin sessions. They end after 8 hours, or 1 hour without a request.

Stored in Django's session. Between the password and the first code of a new device the session contains an enrollment
instead: the user is not signed in, and only the setup page is accessible.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest

from accounts.models import User
from accounts.two_factor.models import TOTPDevice, new_secret
from core.encryption import decrypt, encrypt

MAX_SESSION_SECONDS, IDLE_TIMEOUT_SECONDS, ENROLLMENT_TIMEOUT_SECONDS = 8 * 3600, 3600, 15 * 60
SESSION_KEY, ENROLLMENT_KEY = "two_factor_session", "two_factor_enrollment"
ENCRYPTION_PURPOSE = "two-factor enrollment"


def start_session(request: HttpRequest, user: User, device: TOTPDevice | None) -> None:
    """Sign the user in with a new session. `device` is None only if the settings do not require two factors."""
    request.session.flush()
    login(request, user, backend="accounts.authentication.AdminBackend")
    now = time.time()
    request.session[SESSION_KEY] = {"started": now, "last_request": now, "device": device.pk if device else None}


def is_session_valid(request: HttpRequest) -> bool:
    """Return whether the session is neither too old nor idle and its TOTP device still exists."""
    session = request.session.get(SESSION_KEY)
    if not session:
        return False
    now = time.time()
    if now - session["started"] > MAX_SESSION_SECONDS or now - session["last_request"] > IDLE_TIMEOUT_SECONDS:
        return False
    return not settings.ADMIN_SECOND_FACTOR or _uses_device(session, TOTPDevice.objects.for_user(request.user))  # type: ignore[arg-type]


def _uses_device(session: dict[str, Any], device: TOTPDevice | None) -> bool:
    return device is not None and device.pk == session["device"]


def record_activity(request: HttpRequest) -> None:
    """Update the time of the last request, at most once a minute."""
    session, now = request.session.get(SESSION_KEY), time.time()
    if session and now - session["last_request"] > 60 and is_session_valid(request):
        request.session[SESSION_KEY] = {**session, "last_request": now}


class Enrollment(NamedTuple):
    """A device setup in progress: the authenticated user and the secret of the new device.

    `replaces` is the id of the device to replace.
    """

    user: User
    secret: str
    replaces: int | None


def start_enrollment(request: HttpRequest, user: User, *, replaces: TOTPDevice | None = None) -> None:
    """Start the setup of a device for a user who has entered their password, and end any current session.

    The device that it `replaces` stays valid until then. Otherwise an abandoned setup would leave the account protected
    by the password alone.
    """
    request.session.flush()
    request.session[ENROLLMENT_KEY] = {
        "user_id": user.pk,
        "session_auth_hash": user.get_session_auth_hash(),
        "expires_at": time.time() + ENROLLMENT_TIMEOUT_SECONDS,
        "secret": encrypt(new_secret(), purpose=ENCRYPTION_PURPOSE),
        "replaces": replaces.pk if replaces else None,
    }


def get_enrollment(request: HttpRequest) -> Enrollment | None:
    """Return the enrollment of the session, or None if it has expired or the account has changed."""
    stored = request.session.get(ENROLLMENT_KEY)
    if not stored or stored["expires_at"] < time.time():
        return None
    user = User.objects.filter(pk=stored["user_id"], is_staff=True).first()
    if user is None or not user.can_sign_in or user.get_session_auth_hash() != stored["session_auth_hash"]:
        return None
    secret = decrypt(stored["secret"], purpose=ENCRYPTION_PURPOSE)
    return Enrollment(user, secret, stored.get("replaces")) if secret else None
