"""Firebase Cloud Messaging, HTTP v1: one POST for each device, authorized by a service account (RFC 7523)."""

import json
import time
from typing import Any
from urllib.parse import urlencode

import jwt
from django.conf import settings

from activity.push.models import Device
from activity.push.requests import TTL_SECONDS, CachedToken, PushRequest, encode
from core.http_client import HTTPClient, RequestFailedError, Response
from core.redis import CircuitBreaker

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"

access_token = CachedToken()
# While Google's token endpoint does not respond, only one push waits for it.
breaker = CircuitBreaker(seconds=10.0)


def is_enabled() -> bool:
    """Return whether the settings configure FCM."""
    return settings.FCM_CREDENTIALS is not None


class FCM:
    """Firebase Cloud Messaging."""

    def __init__(self) -> None:
        # The addresses come from the settings.
        self.client = HTTPClient(allow_any_address=lambda host: True, http2=True)

    def build_request(self, device: Device, payload: dict[str, Any]) -> PushRequest:
        """Return the request that sends the payload. Raises RequestFailedError."""
        # Android shows the notification; the app reads the data, whose values FCM requires to be strings.
        data = {name: value if isinstance(value, str) else encode(value).decode() for name, value in payload.items()}
        club = payload["club"]
        message = {
            "token": device.token,
            "notification": {"title": club["name"] if club else "BookBridge", "body": payload["text"]},
            "data": data,
            "android": {"priority": "high", "ttl": f"{TTL_SECONDS}s", "notification": {"tag": f"n{payload['id']}"}},
        }
        headers = {"Authorization": f"Bearer {self._access_token()}", "Content-Type": "application/json"}
        project = settings.FCM_CREDENTIALS["project_id"]
        return PushRequest(
            f"{settings.FCM_URL}/v1/projects/{project}/messages:send", headers, encode({"message": message})
        )

    def is_gone(self, response: Response) -> bool:
        """Return whether the app was removed from the device."""
        if response.status == 401:
            access_token.clear()
        return response.status in (404, 410) or "UNREGISTERED" in _error_codes(response)

    def _access_token(self) -> str:
        return access_token.get(self._request_access_token)

    def _request_access_token(self) -> tuple[str, float]:
        if not breaker.allow_call():
            raise RequestFailedError
        account, now = settings.FCM_CREDENTIALS, int(time.time())
        claims = {"iss": account["client_email"], "scope": SCOPE, "aud": account["token_uri"], "iat": now}
        assertion = jwt.encode(claims | {"exp": now + 3600}, account["private_key"], algorithm="RS256")
        try:
            response = self.client.post(
                account["token_uri"],
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                body=urlencode({"grant_type": GRANT_TYPE, "assertion": assertion}).encode(),
            )
            token = json.loads(response.body)
            # Renewed before it expires.
            granted = str(token["access_token"]), max(float(token.get("expires_in", 3600)) - 300, 60)
        except (RequestFailedError, ValueError, TypeError, KeyError):
            breaker.trip()
            raise RequestFailedError from None
        breaker.reset()
        return granted


def _error_codes(response: Response) -> list[str]:
    """Return the `errorCode` of each detail of an error."""
    try:
        return [str(detail.get("errorCode")) for detail in json.loads(response.body)["error"]["details"]]
    except (ValueError, TypeError, KeyError, AttributeError):
        return []
