"""Web Push (RFC 8030) with encrypted messages (RFC 8291) and VAPID (RFC 8292).

Browsers and UnifiedPush apps use it. The client chooses the endpoint URL, so its address must be public.
"""

import base64
import binascii
import os
import time
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.http.request import validate_host

from activity.push.models import Device
from activity.push.requests import TTL_SECONDS, PushRequest, encode
from core.http_client import HTTPClient, Response

RECORD_SIZE = 4096
# RFC 8292 allows at most 24 hours.
VAPID_SECONDS = 12 * 3600
GONE = (404, 410)


def is_enabled() -> bool:
    """Return whether the settings configure Web Push."""
    return settings.VAPID_PRIVATE_KEY is not None


class WebPush:
    """Web Push, through the push service of the browser or app."""

    def __init__(self) -> None:
        self.client = HTTPClient(allow_any_address=is_allowed_host)

    def build_request(self, device: Device, payload: dict[str, Any]) -> PushRequest:
        """Return the request that sends the encrypted payload."""
        headers = {
            "Authorization": f"vapid t={_vapid_token(device.token)}, k={vapid_public_key()}",
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(TTL_SECONDS),
            "Urgency": "high",
            # A push that is sent again replaces the first one if the device has not received it yet.
            "Topic": f"n{payload['id']}",
        }
        body = encrypt(encode(payload), p256dh=b64decode(device.p256dh), auth=b64decode(device.auth))
        return PushRequest(device.token, headers, body)

    def is_gone(self, response: Response) -> bool:
        """Return whether the subscription has ended."""
        return response.status in GONE


def is_allowed_host(host: str) -> bool:
    """Return whether PUSH_ALLOWED_HOSTS lists the host, which may then have a private address and no TLS."""
    return validate_host(f"[{host}]" if ":" in host else host, settings.PUSH_ALLOWED_HOSTS)


def vapid_public_key() -> str:
    """Return the public key that identifies this server to push services, in base64url."""
    return b64encode(_encode_point(settings.VAPID_PRIVATE_KEY.public_key()))


def _vapid_token(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    is_default_port = parts.port in (None, 443 if parts.scheme == "https" else 80)
    origin = f"{parts.scheme}://{host}" + ("" if is_default_port else f":{parts.port}")
    claims = {"aud": origin, "exp": int(time.time()) + VAPID_SECONDS, "sub": settings.VAPID_SUBJECT}
    return jwt.encode(claims, settings.VAPID_PRIVATE_KEY, algorithm="ES256")


def encrypt(
    data: bytes,
    *,
    p256dh: bytes,
    auth: bytes,
    salt: bytes | None = None,
    private_key: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """Encrypt a message as specified in RFC 8291, section 3.4. Only tests pass the salt and the key."""
    salt = salt or os.urandom(16)
    private_key = private_key or ec.generate_private_key(ec.SECP256R1())
    sender = _encode_point(private_key.public_key())
    shared = private_key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), p256dh))
    secret = _derive(shared, 32, salt=auth, info=b"WebPush: info\0" + p256dh + sender)
    key = _derive(secret, 16, salt=salt, info=b"Content-Encoding: aes128gcm\0")
    nonce = _derive(secret, 12, salt=salt, info=b"Content-Encoding: nonce\0")
    # RFC 8188 ends the last record with the delimiter 2.
    encrypted = AESGCM(key).encrypt(nonce, data + b"\2", None)
    return salt + RECORD_SIZE.to_bytes(4, "big") + bytes([len(sender)]) + sender + encrypted


def _derive(secret: bytes, length: int, *, salt: bytes, info: bytes) -> bytes:
    return HKDF(hashes.SHA256(), length, salt=salt, info=info).derive(secret)


def _encode_point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def b64encode(data: bytes) -> str:
    """Encode as base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def b64decode(text: str) -> bytes:
    """Decode base64url, with or without padding. Raises ValueError."""
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars="-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def is_p256_point(data: bytes) -> bool:
    """Return whether the bytes are an uncompressed point on P-256."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), data)
    except ValueError:
        return False
    return len(data) == 65
