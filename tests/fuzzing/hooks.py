"""Hooks for schemathesis, which script/fuzz-api sets up: ids that exist, and accounts that may be lost."""

import itertools
import json
import os
import random
from typing import Any

import httpx
import schemathesis

BASE = os.environ["FUZZ_URL"]
TOKEN = os.environ["FUZZ_TOKEN"]
# Names of path parameters with ids that exist.
KNOWN_IDS: dict[str, list[Any]] = json.loads(os.environ["FUZZ_IDS"])
# Ends the caller's account or sign-in, their membership, or the club that the other calls use.
DESTRUCTIVE = {
    ("DELETE", "/api/v1/users/me/"),
    ("DELETE", "/api/v1/auth/sessions/"),
    ("DELETE", "/api/v1/auth/sessions/{session_id}/"),
    ("POST", "/api/v1/auth/logout/"),
    ("POST", "/api/v1/auth/password/change/"),
    ("DELETE", "/api/v1/clubs/{club_id}/"),
    ("POST", "/api/v1/clubs/{club_id}/leave/"),
    ("POST", "/api/v1/clubs/{club_id}/transfer/"),
}
PASSWORD = "um-bom-segredo"

_numbers = itertools.count()
_chance = random.Random(1)


def new_token() -> str:
    """Register a user of whom nothing else depends, and return a token."""
    account = {"username": f"throwaway.{os.getpid()}.{next(_numbers)}", "password": PASSWORD}
    response = httpx.post(f"{BASE}/api/v1/auth/register/", json=account)
    response.raise_for_status()
    return str(response.json()["access"])


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Replace most ids of valid cases by ids that exist, and the token before destructive calls.

    `fields` is removed: with it a list has only the named fields of each row, which no schema can express.
    """
    case.query.pop("fields", None)
    if case.meta is None or case.meta.generation.mode.is_positive:
        for name in case.path_parameters or {}:
            if name in KNOWN_IDS and _chance.random() < 0.9:
                case.path_parameters[name] = _chance.choice(KNOWN_IDS[name])
    called = case.method.upper(), case.operation.full_path
    if TOKEN and called in DESTRUCTIVE and "Authorization" in case.headers and not _is_without_token(case):
        case.headers["Authorization"] = f"Bearer {new_token()}"


def _is_without_token(case: Any) -> bool:
    """Return whether the case tests the response to a missing or an invalid token."""
    phase = getattr(case.meta, "phase", None)
    return "Authorization" in (getattr(phase and phase.data, "parameter", None) or "")
