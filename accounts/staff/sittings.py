"""A member of the staff at work: from a whole sign-in, eight hours at most, until an hour without a request.

The browser's session carries it. Between the password and the first code of a new app there is an enrolment instead,
which is no sign-in: the session names nobody, and opens nothing but the page that shows the app's secret.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest

from accounts.models import User
from accounts.staff.models import SecondFactor, new_secret
from bookbridge.api.sealed import seal, unseal

LONGEST, IDLE, TO_ENROL = 8 * 3600, 3600, 15 * 60
SITTING, ENROLMENT, PURPOSE = "sitting", "enrolment", "enrolment"


def begin(request: HttpRequest, user: User, factor: SecondFactor | None) -> None:
    """Sign in, in a new session: nothing of the one before goes on. No factor only where the settings ask for none."""
    request.session.flush()
    login(request, user, backend="accounts.authentication.AdminBackend")
    now = time.time()
    request.session[SITTING] = {"since": now, "seen": now, "factor": factor.pk if factor else None}


def is_open(request: HttpRequest) -> bool:
    """Whether the session is of a whole sign-in that is neither too old nor forgotten, with a factor still in force."""
    sitting = request.session.get(SITTING)
    if not sitting:
        return False
    now = time.time()
    if now - sitting["since"] > LONGEST or now - sitting["seen"] > IDLE:
        return False
    return not settings.ADMIN_SECOND_FACTOR or _is_of(sitting, SecondFactor.objects.of(request.user))  # type: ignore[arg-type]


def _is_of(sitting: dict[str, Any], factor: SecondFactor | None) -> bool:
    return factor is not None and factor.pk == sitting["factor"]


def touch(request: HttpRequest) -> None:
    """Note that they are still there, once a minute."""
    sitting, now = request.session.get(SITTING), time.time()
    if sitting and now - sitting["seen"] > 60 and is_open(request):
        request.session[SITTING] = {**sitting, "seen": now}


class Enrolment(NamedTuple):
    """Who has shown their password, and a code where an app is to go, with the secret that their new one is to take.

    `replaces` is the id of the factor that goes.
    """

    user: User
    secret: str
    replaces: int | None


def begin_enrolment(request: HttpRequest, user: User, *, replaces: SecondFactor | None = None) -> None:
    """Let somebody who has shown their password set up an app. Whoever was signed in before is not any more.

    The app that it `replaces` serves until then: else a password would be enough where they go no further.
    """
    request.session.flush()
    request.session[ENROLMENT] = {
        "user": user.pk,
        "auth": user.get_session_auth_hash(),
        "until": time.time() + TO_ENROL,
        "secret": seal(new_secret(), purpose=PURPOSE),
        "replaces": replaces.pk if replaces else None,
    }


def enrolment_of(request: HttpRequest) -> Enrolment | None:
    """The enrolment that the session carries; None where it is too old, or the account has changed since."""
    kept = request.session.get(ENROLMENT)
    if not kept or kept["until"] < time.time():
        return None
    user = User.objects.filter(pk=kept["user"], is_staff=True).first()
    if user is None or not user.may_sign_in or user.get_session_auth_hash() != kept["auth"]:
        return None
    secret = unseal(kept["secret"], purpose=PURPOSE)
    return Enrolment(user, secret, kept.get("replaces")) if secret else None
