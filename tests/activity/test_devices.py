"""Devices that are registered for push notifications."""

import json
import threading
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management import call_command
from django.utils import timezone

from accounts import tokens
from accounts.deletion import close_account
from accounts.models import AuthSession
from activity.push import webpush
from activity.push.models import Device
from tests.activity.push_services import POINT, Subscription, unb64
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
DEVICES, VAPID_KEY = "/api/v1/users/me/devices/", "/api/v1/push/vapid-key/"
ENDPOINT = "https://push.example.org/send/abc"


@pytest.fixture(autouse=True)
def push_settings(settings):
    settings.VAPID_PRIVATE_KEY = ec.generate_private_key(ec.SECP256R1())
    settings.FCM_CREDENTIALS = {"project_id": "readers"}
    settings.APNS_KEY = None


def fcm(token="phone-1", **fields):
    return {"kind": "fcm", "token": token, **fields}


def listed(client):
    return client.get(DEVICES).json()["results"]


# --- Registration ----------------------------------------------------------------------------------------------------


def test_register_and_list_devices(as_bob, as_alice, django_assert_num_queries):
    web = as_bob.post(DEVICES, {**Subscription(ENDPOINT).body, "name": "Firefox", "app_version": "1.2.0"})
    assert web.status_code == 201
    assert "Location" not in web  # a device has no GET of its own
    expected = {"kind": "webpush", "token": ENDPOINT, "name": "Firefox", "app_version": "1.2.0"}
    assert web.json().items() >= expected.items()
    assert web.json().keys() == {*expected, "id", "created_at"}
    with django_assert_num_queries(2):
        assert listed(as_bob) == [web.json()]
    for n in range(5):
        assert as_bob.post(DEVICES, fcm(f"phone-{n}")).status_code == 201
    with django_assert_num_queries(2):
        assert len(listed(as_bob)) == 6
    assert listed(as_alice) == []


def test_keys_are_in_no_response(as_bob):
    subscription = Subscription(ENDPOINT)
    response = as_bob.post(DEVICES, subscription.body)
    texts = response.content + as_bob.get(DEVICES).content + as_bob.get("/api/v1/users/me/export/").getvalue()
    assert subscription.keys["auth"].encode() not in texts


def test_list_is_paged(as_bob):
    for n in range(5):
        as_bob.post(DEVICES, fcm(f"phone-{n}"))
    first = as_bob.get(DEVICES, {"page_size": 2}).json()
    second = as_bob.get(first["next"]).json()
    assert len({row["id"] for row in first["results"] + second["results"]}) == 4
    assert as_bob.get(DEVICES, {"cursor": "nonsense"}).status_code == 404
    assert as_bob.get(DEVICES, {"kind": "fcm"}).status_code == 400


def test_same_token_again_is_the_same_row(as_bob):
    first = as_bob.post(DEVICES, fcm(name="Pixel", app_version="1"))
    again = as_bob.post(DEVICES, fcm(app_version="2"))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == {**first.json(), "name": "", "app_version": "2"}
    assert again["ETag"]
    assert listed(as_bob) == [again.json()]


def test_subscription_again_takes_the_new_keys(as_bob):
    for _time in range(2):
        subscription = Subscription(ENDPOINT)
        as_bob.post(DEVICES, subscription.body)
    assert Device.objects.get().p256dh == subscription.keys["p256dh"]


def test_same_token_again_moves_to_the_session(as_bob, client_of, bob):
    as_bob.post(DEVICES, fcm())
    other = client_of(bob)
    assert other.post(DEVICES, fcm()).status_code == 200
    assert Device.objects.get().session == AuthSession.objects.latest("pk")


def test_token_that_moves_to_another_account_moves(as_bob, as_alice):
    as_bob.post(DEVICES, fcm(name="Bob's"))
    moved = as_alice.post(DEVICES, fcm())
    assert (moved.status_code, moved.json()["name"]) == (201, "")
    assert listed(as_bob) == []
    assert [row["token"] for row in listed(as_alice)] == ["phone-1"]
    assert as_bob.delete(f"{DEVICES}{moved.json()['id']}/").status_code == 404
    assert Device.objects.count() == 1


def test_token_of_an_ended_session_is_new(as_bob, anonymous, bob):
    pair = tokens.sign_in(bob, device="phone")
    anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.access}")
    anonymous.post(DEVICES, fcm())
    tokens.sign_out(pair.refresh)
    assert anonymous.post(DEVICES, fcm()).status_code == 401
    assert listed(as_bob) == []
    assert as_bob.post(DEVICES, fcm()).status_code == 201


def test_21st_device_is_a_conflict(as_bob, as_alice, client_of, bob):
    second = client_of(bob)
    for n in range(20):
        assert (second if n % 2 else as_bob).post(DEVICES, fcm(f"phone-{n}")).status_code == 201
    refused = as_bob.post(DEVICES, fcm("one-more"))
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_devices")
    assert refused.json()["devices"] == sorted(row["id"] for row in listed(as_bob))
    assert as_bob.post(DEVICES, fcm("phone-3")).status_code == 200
    as_alice.post(DEVICES, fcm("of-alice"))
    assert as_bob.post(DEVICES, fcm("of-alice")).status_code == 409
    assert [row["token"] for row in listed(as_alice)] == ["of-alice"]
    as_bob.delete(f"{DEVICES}{listed(as_bob)[0]['id']}/")
    assert as_bob.post(DEVICES, fcm("one-more")).status_code == 201


def test_devices_of_ended_sessions_do_not_count(as_bob, client_of, bob):
    second = client_of(bob)
    for n in range(20):
        second.post(DEVICES, fcm(f"phone-{n}"))
    as_bob.delete("/api/v1/auth/sessions/")
    assert as_bob.post(DEVICES, fcm("new")).status_code == 201


def test_registration_is_idempotent(as_bob):
    first, again = (as_bob.post(DEVICES, fcm(), HTTP_IDEMPOTENCY_KEY="k") for _time in range(2))
    assert (first.status_code, again.status_code, again["Idempotency-Replayed"]) == (201, 201, "true")
    assert first.content == again.content


def test_delete_device(as_bob, as_alice):
    device = as_bob.post(DEVICES, fcm()).json()["id"]
    assert as_alice.delete(f"{DEVICES}{device}/").status_code == 404
    assert as_bob.delete(f"{DEVICES}{device}/").status_code == 204
    assert as_bob.delete(f"{DEVICES}{device}/").status_code == 404
    assert listed(as_bob) == []
    assert as_bob.get(f"{DEVICES}{device}/").status_code == 405


# --- Bad values ------------------------------------------------------------------------------------------------------

KEYS = Subscription(ENDPOINT).keys


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"token": "x"}, "kind", "required"),
        ({"kind": "fcm"}, "token", "required"),
        ({"kind": "sms", "token": "x"}, "kind", "invalid_choice"),
        ({"kind": "fcm", "token": ""}, "token", "blank"),
        ({"kind": "fcm", "token": "a b"}, "token", "invalid"),
        ({"kind": "fcm", "token": "a/../b"}, "token", "invalid"),
        ({"kind": "fcm", "token": "a\0"}, "token", "null_characters_not_allowed"),
        ({"kind": "fcm", "token": "x" * 2001}, "token", "max_length"),
        ({"kind": "fcm", "token": "x", "name": "x" * 101}, "name", "max_length"),
        ({"kind": "webpush", "token": ENDPOINT}, "keys", "required"),
        ({"kind": "webpush", "token": ENDPOINT, "keys": {"auth": KEYS["auth"]}}, "keys.p256dh", "required"),
        ({"kind": "webpush", "token": ENDPOINT, "keys": KEYS | {"auth": "AAAA"}}, "keys.auth", "invalid"),
        ({"kind": "webpush", "token": ENDPOINT, "keys": KEYS | {"auth": "!"}}, "keys.auth", "invalid"),
        ({"kind": "webpush", "token": ENDPOINT, "keys": KEYS | {"p256dh": "B" * 87}}, "keys.p256dh", "invalid"),
        ({"kind": "webpush", "token": ENDPOINT, "keys": KEYS | {"p256dh": KEYS["auth"]}}, "keys.p256dh", "invalid"),
    ],
)
def test_invalid_device_is_refused(as_bob, body, field, code):
    response = as_bob.post(DEVICES, body)
    assert response.status_code == 400, response.content
    assert (field, code) in [(error["field"], error["code"]) for error in response.json()["errors"]]
    assert not Device.objects.exists()


@pytest.mark.parametrize(
    "endpoint",
    [
        *("http://push.example.org/x", "ftp://push.example.org/x", "push.example.org", "https://", "https://:443/"),
        *("https://localhost/", "https://127.0.0.1/x", "https://127.1/", "https://2130706433/", "https://[::1]/"),
        *("https://10.0.0.1/", "https://169.254.169.254/latest/meta-data/", "https://[::ffff:10.0.0.1]/"),
        *("https://[fe80::1]/", "https://192.168.0.1:8443/", "https://0/", "https://[", "https://x:99999/"),
        *("https://user:secret@push.example.org/", "https://push.example.org/#part", "https://push.example.org:0/"),
        *(
            "https://localhost./",
            "https://127.0.0.1./",
            "https://[fe80::1%25eth0]/",
            "https://a..b/",
            "https://x%00.org/",
        ),
    ],
)
def test_endpoint_must_be_https_and_public(as_bob, endpoint):
    response = as_bob.post(DEVICES, {**Subscription(endpoint).body})
    assert response.status_code == 400, response.content
    assert response.json()["errors"][0]["field"] == "token"


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9/x", "https://127.0.0.1/x", "http://push.intern/x"])
def test_allowed_host_may_be_private_and_without_tls(as_bob, settings, endpoint):
    settings.PUSH_ALLOWED_HOSTS = ["127.0.0.1", ".intern"]
    assert as_bob.post(DEVICES, Subscription(endpoint).body).status_code == 201
    assert as_bob.post(DEVICES, Subscription("http://127.0.0.2/").body).status_code == 400


def test_endpoint_is_resolved(as_bob, monkeypatch):
    monkeypatch.setattr("core.http_client.resolve", lambda host: ["1.1.1.1", "10.0.0.1"])
    response = as_bob.post(DEVICES, Subscription(ENDPOINT).body)
    assert (response.status_code, response.json()["errors"][0]["code"]) == (400, "not_public")
    monkeypatch.setattr("core.http_client.resolve", lambda host: ["1.1.1.1"])
    assert as_bob.post(DEVICES, Subscription(ENDPOINT).body).status_code == 201


def test_slow_name_server_does_not_delay_registration(as_bob, monkeypatch):
    answered = threading.Event()
    monkeypatch.setattr("core.http_client.resolve", lambda host: answered.wait(20) and [])
    started = time.monotonic()
    assert as_bob.post(DEVICES, Subscription(ENDPOINT).body).status_code == 201
    answered.set()
    assert time.monotonic() - started < 4


@pytest.mark.parametrize("body", [{"kind": "apns", "token": "ab" * 32}, {"kind": "apns", "token": "?", "name": 1}])
def test_kind_that_is_off_is_unavailable(as_bob, settings, body):
    response = as_bob.post(DEVICES, body)
    assert (response.status_code, response.json()["code"]) == (400, "push_unavailable")
    settings.FCM_CREDENTIALS = settings.VAPID_PRIVATE_KEY = None
    for other in (fcm(), Subscription(ENDPOINT).body):
        assert as_bob.post(DEVICES, other).json()["code"] == "push_unavailable"


# --- The key for Web Push --------------------------------------------------------------------------------------------


def test_vapid_key_is_the_public_key(anonymous, settings):
    response = anonymous.get(VAPID_KEY)
    assert response.status_code == 200
    assert response.json().keys() == {"public_key"}
    assert unb64(response.json()["public_key"]) == settings.VAPID_PRIVATE_KEY.public_key().public_bytes(*POINT)
    assert anonymous.get(VAPID_KEY, HTTP_IF_NONE_MATCH=response["ETag"]).status_code == 304


def test_vapid_key_without_web_push_is_unavailable(anonymous, settings):
    settings.VAPID_PRIVATE_KEY = None
    response = anonymous.get(VAPID_KEY)
    assert (response.status_code, response.json()["code"]) == (400, "push_unavailable")


def test_encryption_follows_the_example_of_rfc_8291():
    # Appendix A.
    private = ec.derive_private_key(
        int.from_bytes(unb64("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), ec.SECP256R1()
    )
    message = webpush.encrypt(
        b"When I grow up, I want to be a watermelon",
        p256dh=unb64("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        auth=unb64("BTBZMqHH6r4Tts7J_aSIgg"),
        salt=unb64("DGv6ra1nlYgDCS1FRnbzlw"),
        private_key=private,
    )
    assert webpush.b64encode(message) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
        "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
        "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


# --- Deletion and export ---------------------------------------------------------------------------------------------


def test_export_has_the_devices(as_bob, as_alice):
    as_alice.post(DEVICES, fcm("of-alice"))
    as_bob.post(DEVICES, fcm(name="Pixel"))
    section = json.loads(as_bob.get("/api/v1/users/me/export/").getvalue())["devices"]
    assert [(row["kind"], row["token"], row["name"]) for row in section] == [("fcm", "phone-1", "Pixel")]


def test_export_has_the_push_preferences(as_bob):
    as_bob.patch("/api/v1/users/me/notification-settings/", {"reply": {"push": False}})
    section = json.loads(as_bob.get("/api/v1/users/me/export/").getvalue())["notification_settings"]
    assert [(row["kind"], row["push"]) for row in section] == [("reply", False)]


def test_account_deletion_deletes_its_devices(as_bob, as_alice, bob):
    as_bob.post(DEVICES, fcm())
    as_alice.post(DEVICES, fcm("of-alice"))
    close_account(bob, password=PASSWORD, reviews="anonymise")
    assert list(Device.objects.values_list("token", flat=True)) == ["of-alice"]


def test_cleanup_deletes_devices_of_ended_sessions(as_bob, as_alice):
    for n, client in enumerate((as_bob, as_alice)):
        client.post(DEVICES, fcm(f"phone-{n}"))
    AuthSession.objects.filter(user__username="bob").update(ended_at=timezone.now())
    call_command("prune_expired")
    assert list(Device.objects.values_list("token", flat=True)) == ["phone-1"]
