"""Simultaneous registrations of devices, and pushes while sessions end."""

from collections import Counter
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from accounts import tokens
from accounts.models import User
from activity.choices import NotificationKind
from activity.push.models import MAX_DEVICES, Device
from activity.services import notify
from core.tasks.models import QueuedTask
from core.tasks.worker import run_pending
from tests.activity.push_services import Answer, WebPushService, running
from tests.concurrency.tools import ROUNDS, at_once, statuses
from tests.conftest import client_of

pytestmark = pytest.mark.django_db(transaction=True)
DEVICES = "/api/v1/users/me/devices/"


@pytest.fixture(autouse=True)
def push_settings(settings):
    settings.FCM_CREDENTIALS = {"project_id": "readers"}
    settings.VAPID_PRIVATE_KEY = ec.generate_private_key(ec.SECP256R1())
    settings.PUSH_ALLOWED_HOSTS = ["127.0.0.1"]


@pytest.fixture
def service(settings):
    with running(WebPushService(lambda: settings.VAPID_PRIVATE_KEY.public_key())) as service:
        yield service


def register(client, token):
    return partial(client.post, DEVICES, {"kind": "fcm", "token": token})


def test_same_token_of_two_accounts_at_once_is_one_row(alice: User, bob: User):
    clients = [client_of(user) for user in (alice, bob)] * 6
    for n in range(ROUNDS):
        found = statuses(at_once([register(client, f"token-{n}") for client in clients]))
        assert found.keys() <= {200, 201}
        assert found[201] >= 1
        assert Device.objects.filter(token=f"token-{n}").count() == 1
        Device.objects.all().delete()


def test_same_token_at_once_is_created_once(bob: User):
    clients = [client_of(bob) for _n in range(12)]
    for n in range(ROUNDS):
        assert statuses(at_once([register(client, f"token-{n}") for client in clients])) == {201: 1, 200: 11}
        Device.objects.all().delete()


def test_21_devices_at_once_are_at_most_20(bob: User):
    clients = [client_of(bob) for _n in range(21)]
    for n in range(ROUNDS):
        calls = [register(client, f"token-{n}-{m}") for m, client in enumerate(clients)]
        assert statuses(at_once(calls)) == {201: MAX_DEVICES, 409: 1}
        assert Device.objects.count() == MAX_DEVICES
        Device.objects.all().delete()


def test_tokens_that_change_places_do_not_deadlock(alice: User, bob: User):
    as_alice, as_bob = client_of(alice), client_of(bob)
    for _round in range(ROUNDS):
        calls = [register(client, token) for client in (as_alice, as_bob) for token in ("a", "b", "c")] * 2
        assert statuses(at_once(calls)).keys() <= {200, 201}
        assert Device.objects.count() == 3


def test_registration_during_sign_out_gets_no_push(bob: User, service):
    """Whichever comes first, an ended session has no device that gets pushes."""
    for n in range(ROUNDS):
        pair = tokens.sign_in(bob, device="phone")
        client = client_of(None)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.access}")
        call = partial(client.post, DEVICES, service.subscribe(f"phone{n}").body)
        response, _none = at_once([call, partial(tokens.sign_out, pair.refresh)])
        assert response.status_code in (201, 401)
        notify(NotificationKind.SECURITY, [bob.pk], detail="x")
        run_pending()
        assert service.received == []


def test_workers_at_once_send_each_push_once(make_user, service):
    users = [make_user(f"r{n}") for n in range(30)]
    for user in users:
        response = client_of(user).post(DEVICES, service.subscribe(user.username).body)
        assert response.status_code == 201
    for n in range(max(ROUNDS // 4, 1)):
        service.received.clear()
        for half in (users[::2], users[1::2]):
            notify(NotificationKind.SECURITY, [user.pk for user in half], detail="x", key=f"n{n}")
        at_once([run_pending] * 4)
        assert Counter(name for name, _payload in service.received) == {user.username: 1 for user in users}


def test_gone_device_deleted_by_its_user_at_once(bob: User, service):
    client = client_of(bob)
    for n in range(ROUNDS):
        body = service.subscribe(f"phone{n}", Answer(410)).body
        device = client.post(DEVICES, body).json()["id"]
        notify(NotificationKind.SECURITY, [bob.pk], detail="x")
        _started, response = at_once([run_pending, partial(client.delete, f"{DEVICES}{device}/")])
        assert response.status_code in (204, 404)
        assert not Device.objects.exists()
    assert not QueuedTask.objects.filter(status="FAILED").exists()
