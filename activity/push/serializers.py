"""Serializers of devices."""

from typing import Any
from urllib.parse import urlsplit

import httpcore
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers, status

from activity.push import webpush
from activity.push.delivery import is_enabled
from activity.push.models import MAX_TOKEN_LENGTH, Device, DeviceKind
from core.api.exceptions import APIProblem, InvalidFieldError
from core.api.serializers import ModelSerializer, SingleLineField
from core.http_client import is_public, resolve_in_time

AUTH_BYTES = 16


class PushUnavailableError(APIProblem):
    """400 for a kind of device whose push service the settings do not configure."""

    def __init__(self) -> None:
        text = str(_("This server does not send push notifications of this kind."))
        errors = [{"field": "kind", "code": "push_unavailable", "detail": text}]
        super().__init__(status.HTTP_400_BAD_REQUEST, "push_unavailable", text, errors=errors)


class PushKeysSerializer(serializers.Serializer[Any]):
    """The keys of a Web Push subscription, in base64url."""

    p256dh = SingleLineField(
        max_length=100, write_only=True, help_text=_("The client's public key: an uncompressed point on P-256.")
    )
    auth = SingleLineField(max_length=50, write_only=True, help_text=_("The client's secret of 16 bytes."))

    def validate_p256dh(self, value: str) -> str:
        return self._check(value, webpush.is_p256_point)

    def validate_auth(self, value: str) -> str:
        return self._check(value, lambda data: len(data) == AUTH_BYTES)

    def _check(self, value: str, is_valid: Any) -> str:
        try:
            valid = is_valid(webpush.b64decode(value))
        except ValueError:
            valid = False
        if not valid:
            raise serializers.ValidationError(_("This is not a key of a Web Push subscription."), "invalid")
        return value


class DeviceSerializer(ModelSerializer):
    """A device that gets push notifications."""

    kind = serializers.ChoiceField(DeviceKind.choices)
    token = serializers.RegexField(
        r"^[\x21-\x7e]+$",
        max_length=MAX_TOKEN_LENGTH,
        help_text=_("The token of the push service; for `webpush` the endpoint, an https URL."),
    )
    keys = PushKeysSerializer(write_only=True, required=False, help_text=_("Required for `webpush`."))
    name = SingleLineField(max_length=100, required=False, allow_blank=True)
    app_version = SingleLineField(max_length=50, required=False, allow_blank=True)

    class Meta:
        model = Device
        fields = ["id", "kind", "token", "keys", "name", "app_version", "created_at"]
        read_only_fields = ["id", "created_at"]

    def validate_kind(self, kind: str) -> str:
        if not is_enabled(kind):
            raise PushUnavailableError
        return kind

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        keys = attrs.pop("keys", None)
        if attrs["kind"] != DeviceKind.WEBPUSH:
            if not attrs["token"].replace("_", "").replace("-", "").replace(":", "").isalnum():
                raise InvalidFieldError("token", "invalid", _("This is not a token of this push service."))
            return attrs
        if not keys:
            raise InvalidFieldError("keys", "required", _("A Web Push subscription has keys."))
        _check_endpoint(attrs["token"])
        return attrs | keys


class VapidKeySerializer(serializers.Serializer[Any]):
    """The server's public key for Web Push."""

    public_key = serializers.CharField(
        read_only=True, help_text=_("`applicationServerKey` of a subscription, in base64url.")
    )


def _check_endpoint(url: str) -> None:
    """Raise InvalidFieldError unless the URL is one that the server may send requests to.

    A name that is not known now is accepted: whatever it resolves to is checked again before each connection.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    is_host = host and "%" not in host and "" not in host.split(".") and port != 0
    if not is_host or parts.scheme not in ("http", "https") or "@" in parts.netloc or parts.fragment:
        raise InvalidFieldError("token", "invalid", _("Enter the URL of a push service."))
    if webpush.is_allowed_host(host):
        return
    if parts.scheme != "https":
        raise InvalidFieldError("token", "not_https", _("The URL of a push service begins with https://."))
    try:
        addresses = resolve_in_time(host)
    except httpcore.ConnectError:
        return
    if not all(map(is_public, addresses)):
        raise InvalidFieldError("token", "not_public", _("The push service has no public address."))
