"""Two-factor codes work once, also for simultaneous logins."""

import time
from functools import partial

import pytest
import time_machine
from django.test import Client

from accounts.two_factor.models import RecoveryCode, TOTPDevice
from tests.concurrency.tools import ROUNDS, at_once
from tests.staff import SETUP, enroll, get_recovery_codes, get_secret, sign_in, totp_code

pytestmark = pytest.mark.django_db(transaction=True)


def statuses(code):
    """Return the statuses of eight simultaneous logins with the same code."""
    return sorted(response.status_code for response in at_once([partial(sign_in, Client(), "staffer", code=code)] * 8))


def test_totp_code_works_once(staff):
    now = time.time() // 30 * 30
    with time_machine.travel(now, tick=False) as clock:
        secret, _codes = enroll(Client(), "staffer")
        for _round in range(ROUNDS):
            clock.shift(120)
            TOTPDevice.objects.update(failures=0, failed_at=None)
            assert statuses(totp_code(secret)) == [200] * 7 + [302]


def test_recovery_code_works_once(staff):
    for _round in range(-(-ROUNDS // 10)):
        TOTPDevice.objects.all().delete()
        _secret, codes = enroll(Client(), "staffer")
        for left, code in enumerate(reversed(codes)):
            TOTPDevice.objects.update(failures=0, failed_at=None)
            assert statuses(code) == [200] * 7 + [302]
            assert RecoveryCode.objects.count() == 9 - left


def test_simultaneous_setups_leave_one_device(staff):
    for _round in range(ROUNDS):
        TOTPDevice.objects.all().delete()
        clients = [Client(), Client()]
        calls = []
        for client in clients:
            sign_in(client, "staffer")
            secret = get_secret(client.get(SETUP))
            calls.append(partial(client.post, SETUP, {"code": totp_code(secret)}))
        answers = at_once(calls)
        assert sorted(answer.status_code for answer in answers) == [200, 302]
        assert len(get_recovery_codes(next(answer for answer in answers if answer.status_code == 200))) == 10
        assert RecoveryCode.objects.count() == 10
        assert sorted(client.get("/admin/").status_code for client in clients) == [200, 302]
