"""Code shared by the push services: payloads, requests, and tokens that authorize requests."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from django.utils.text import Truncator

from activity.push.models import Device
from core.http_client import HTTPClient, Response

# All services accept at least 4,096 bytes; these limits keep the payload below that in any script.
MAX_TEXT, MAX_TITLE = 400, 100
# How long a push service keeps a message for a device that is offline.
TTL_SECONDS = 3 * 24 * 3600


class PushRequest(NamedTuple):
    """A POST request to a push service."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class PushService(Protocol):
    """A push service with an HTTP client for one batch of pushes."""

    client: HTTPClient

    def build_request(self, device: Device, payload: dict[str, Any]) -> PushRequest:
        """Return the request that sends the payload. Raises RequestFailedError."""

    def is_gone(self, response: Response) -> bool:
        """Return whether the service reports that the token is no longer valid."""


def truncate(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the payload with its texts cut to a length that every push service accepts."""
    cut = {**payload, "text": Truncator(payload["text"]).chars(MAX_TEXT)}
    for name, key in (("object", "title"), ("club", "name")):
        if cut[name]:
            cut[name] = {**cut[name], key: Truncator(cut[name][key]).chars(MAX_TITLE)}
    return cut


def encode(data: Any) -> bytes:
    """Return the data as compact JSON."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


class CachedToken:
    """A token that is created on first use and cached in this process until it expires."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._token, self._expires_at = "", 0.0

    def get(self, create: Callable[[], tuple[str, float]]) -> str:
        """Return the token. `create` returns a new one and the number of seconds to cache it."""
        with self._lock:
            if time.monotonic() >= self._expires_at:
                self._token, seconds = create()
                self._expires_at = time.monotonic() + seconds
            return self._token

    def clear(self) -> None:
        """Discard the cached token."""
        self._expires_at = 0.0
