"""The Apple Push Notification service: HTTP/2, authorized by a token that is signed with the team's key."""

import json
import time
from typing import Any

import jwt
from django.conf import settings

from activity.push.models import Device
from activity.push.requests import TTL_SECONDS, CachedToken, PushRequest, encode
from core.http_client import HTTPClient, Response

# Apple accepts a token for an hour, and a new one every 20 minutes.
TOKEN_SECONDS = 40 * 60

provider_token = CachedToken()


def is_enabled() -> bool:
    """Return whether the settings configure APNs."""
    return settings.APNS_KEY is not None


class APNs:
    """The Apple Push Notification service."""

    def __init__(self) -> None:
        # The address comes from the settings.
        self.client = HTTPClient(allow_any_address=lambda host: True, http1=False, http2=True)

    def build_request(self, device: Device, payload: dict[str, Any]) -> PushRequest:
        """Return the request that sends the payload."""
        club = payload["club"]
        alert = {"body": payload["text"]} | ({"title": club["name"]} if club else {})
        aps = {"alert": alert, "badge": payload["unread"], "sound": "default"}
        headers = {
            "authorization": f"bearer {provider_token.get(_create_token)}",
            "apns-topic": settings.APNS_TOPIC,
            "apns-push-type": "alert",
            "apns-priority": "10",
            "apns-expiration": str(int(time.time()) + TTL_SECONDS),
            # A push that is sent again replaces the first one.
            "apns-collapse-id": f"n{payload['id']}",
        }
        return PushRequest(f"{settings.APNS_URL}/3/device/{device.token}", headers, encode({"aps": aps, **payload}))

    def is_gone(self, response: Response) -> bool:
        """Return whether the app was removed from the device, or the token was never valid."""
        reason = _reason(response)
        if reason == "ExpiredProviderToken":
            provider_token.clear()
        return response.status in (404, 410) or reason in ("BadDeviceToken", "Unregistered")


def _create_token() -> tuple[str, float]:
    claims = {"iss": settings.APNS_TEAM_ID, "iat": int(time.time())}
    token = jwt.encode(claims, settings.APNS_KEY, algorithm="ES256", headers={"kid": settings.APNS_KEY_ID})
    return token, TOKEN_SECONDS


def _reason(response: Response) -> str:
    try:
        return str(json.loads(response.body)["reason"])
    except (ValueError, TypeError, KeyError):
        return ""
