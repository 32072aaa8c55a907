"""Devices for push notifications."""

from tests.activity.test_devices import ENDPOINT
from tests.examples.recorder import Walk

# The keys of the example in RFC 8291.
KEYS = {
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}


def record(walk: Walk) -> None:
    walk.call("getVapidKey", None)
    body = {"kind": "webpush", "token": ENDPOINT, "keys": KEYS, "name": "Firefox", "app_version": "1.2.0"}
    device = walk.call("createDevice", "carla", body)
    walk.call("createDevice", "carla", body)
    walk.call("listDevices", "carla")
    walk.call("deleteDevice", "carla", device_id=device["id"])
