"""Fixtures of running push services and the settings for them, to import into a conftest.py."""

from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from activity.push import apns, delivery, fcm
from tests.activity.push_services import APNsService, FCMService, WebPushService, running


@pytest.fixture
def push_settings(settings: Any) -> None:
    settings.VAPID_PRIVATE_KEY = ec.generate_private_key(ec.SECP256R1())
    settings.PUSH_ALLOWED_HOSTS = ["127.0.0.1"]
    fcm.access_token.clear()
    fcm.breaker.reset()
    apns.provider_token.clear()
    delivery.pauses.clear()


@pytest.fixture
def service(push_settings: None, settings: Any) -> Iterator[WebPushService]:
    with running(WebPushService(lambda: settings.VAPID_PRIVATE_KEY.public_key())) as service:
        yield service


@pytest.fixture
def fcm_service(push_settings: None, settings: Any) -> Iterator[FCMService]:
    with running(FCMService()) as service:
        settings.FCM_CREDENTIALS, settings.FCM_URL = service.credentials, f"http://127.0.0.1:{service.port}"
        yield service


@pytest.fixture
def apns_service(push_settings: None, settings: Any) -> Iterator[APNsService]:
    with running(APNsService()) as service:
        settings.APNS_KEY, settings.APNS_URL = service.key, f"http://127.0.0.1:{service.port}"
        settings.APNS_KEY_ID, settings.APNS_TEAM_ID = "KEY1234567", "TEAM123456"
        settings.APNS_TOPIC = "org.example.app"
        yield service
