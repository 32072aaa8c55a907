import time
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.signals import account_event
from accounts.two_factor.models import RecoveryCode, TOTPDevice
from tests.conftest import PASSWORD
from tests.staff import LOGIN, SETTINGS, SETUP, enroll, get_recovery_codes, get_secret, sign_in, totp_code

pytestmark = pytest.mark.django_db

USERS = "/admin/accounts/user/"
NEW = "a new horse battery"


@pytest.fixture
def client():
    return Client()


@pytest.fixture
def enrolled(staff):
    """The secret and recovery codes of a device set up five minutes ago, so that its first code has expired."""
    with time_machine.travel(time.time() - 300):
        return enroll(Client(), "staffer")


@pytest.fixture
def events():
    """Account events as (verb, user, actor, detail)."""
    recorded = []

    def record(sender, *, event, **kwargs):
        recorded.append((event.verb, event.user, event.actor, event.detail))

    account_event.connect(record)
    yield recorded
    account_event.disconnect(record)


def has_access(client):
    return client.get(USERS).status_code == 200


def test_first_login_requires_device_setup(client, staff):
    response = sign_in(client, "STAFFER")
    assert (response.status_code, response["Location"]) == (302, f"{SETUP}?next=%2Fadmin%2F")
    for path in ("/admin/", USERS, SETTINGS, "/admin/password_change/", "/admin/jsi18n/", "/admin/search/"):
        assert client.get(path).status_code == 302, path
    page = client.get(SETUP)
    secret = get_secret(page)
    assert "<svg" in page.content.decode()
    assert page["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"
    assert get_secret(client.get(SETUP)) == secret  # reloading keeps the secret
    assert get_secret(client.post(SETUP, {"code": "000000"})) == secret
    assert not has_access(client)
    page = client.post(SETUP, {"code": totp_code(secret), "next": "/admin/accounts/user/"})
    assert len(set(get_recovery_codes(page))) == 10
    assert f'href="{USERS}"' in page.content.decode()
    assert has_access(client)
    assert client.get(SETUP).status_code == 302  # secret and codes are shown only once


def test_device_setup_redirects_to_requested_page(client, staff):
    form = {"username": "staffer", "password": PASSWORD, "code": "", "next": USERS}
    address = client.post(LOGIN, form)["Location"]
    page = client.get(address)
    assert 'name="next"' not in page.content.decode(), "an empty field would override the query parameter"
    page = client.post(address, {"code": totp_code(get_secret(page))})
    assert f'href="{USERS}"' in page.content.decode()


def test_login_error_does_not_reveal_what_is_wrong(client, enrolled, alice, events):
    secret, _codes = enrolled
    right = {"username": "staffer", "password": PASSWORD, "code": totp_code(secret)}
    wrong = "000000" if right["code"] != "000000" else "000001"
    pages = []
    for change in ({"password": "wrong"}, {"code": ""}, {"code": wrong}, {"username": "alice"}, {"username": "nobody"}):
        response = client.post(LOGIN, right | change)
        assert response.status_code == 200
        pages.append(response.context["form"].errors.as_text())
    assert len(set(pages)) == 1
    assert [verb for verb, *_rest in events] == [
        "staff.refused",
        "staff.code_refused",
        "staff.code_refused",
        "staff.refused",
        "staff.refused",
    ]
    assert not has_access(client)
    assert client.post(LOGIN, right | {"username": "STAFFER", "next": USERS})["Location"] == USERS
    assert has_access(client)
    assert events[-1][0] == "staff.signed_in"
    assert client.get(LOGIN).status_code == 302


def test_unknown_username_is_not_stored(client, staff, events):
    sign_in(client, PASSWORD)
    ((verb, user, _actor, detail),) = events
    assert (verb, user) == ("staff.refused", None)
    assert detail.startswith("name ")
    assert PASSWORD not in detail


@pytest.mark.parametrize(("steps", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_clock_skew_of_one_step_is_accepted(client, enrolled, steps, accepted):
    with time_machine.travel(time.time() // 30 * 30 + 10, tick=False):
        sign_in(client, "staffer", code=totp_code(enrolled[0], steps=steps))
        assert has_access(client) is accepted


def test_code_cannot_be_reused_nor_an_older_one(enrolled):
    with time_machine.travel(time.time() // 30 * 30 + 10, tick=False):
        code, older = totp_code(enrolled[0]), totp_code(enrolled[0], steps=-1)
        first, second = Client(), Client()
        sign_in(first, "staffer", code=code)
        sign_in(second, "staffer", code=code)
        sign_in(second, "staffer", code=older)
        assert (has_access(first), has_access(second)) == (True, False)


def test_enrollment_code_cannot_be_reused_for_login(client, staff):
    with time_machine.travel(time.time(), tick=False):
        secret, _codes = enroll(client, "staffer")
        other = Client()
        sign_in(other, "staffer", code=totp_code(secret))
        assert not has_access(other)


@pytest.mark.parametrize(
    "code", ["12345", "1234567", "١٢٣٤٥٦", "12345a", "-12345", "+12345", "1e5", "𝟏𝟐𝟑𝟒𝟓𝟔", "\ud800", "\x00"]
)
def test_invalid_code_is_rejected(client, enrolled, code):
    assert sign_in(client, "staffer", code=code.encode("utf-8", "replace").decode()).status_code == 200
    assert not has_access(client)


def test_recovery_code_works_once_in_any_format(enrolled):
    code, other = enrolled[1][:2]
    for given, accepted in ((code.upper(), True), (code, False), (other.replace("-", " "), True)):
        client = Client()
        sign_in(client, "staffer", code=given)
        assert has_access(client) is accepted
    assert RecoveryCode.objects.count() == 8


def test_secret_and_recovery_codes_are_stored_unreadable(enrolled):
    secret, codes = enrolled
    device = TOTPDevice.objects.get()
    stored = device.secret + "".join(device.recovery_codes.values_list("digest", flat=True))
    assert secret not in stored
    assert not any(code.replace("-", "") in stored for code in codes)


def test_wrong_codes_throttle_totp_but_not_recovery_codes(enrolled):
    secret, codes = enrolled
    with time_machine.travel(time.time() // 30 * 30, tick=False) as clock:
        for _n in range(4):
            sign_in(Client(), "staffer", code="000000")
        for code, seconds in (("000000", 1), ("000000", 2), ("000000", 4)):
            sign_in(Client(), "staffer", code=code)
            clock.shift(seconds - 0.5)
            client = Client()
            sign_in(client, "staffer", code=totp_code(secret))
            assert not has_access(client)
            clock.shift(0.5)
        sign_in(Client(), "staffer", code="000000")
        client = Client()
        sign_in(client, "staffer", code=codes[0])
        assert has_access(client)
        clock.shift(8)
        client = Client()
        sign_in(client, "staffer", code=totp_code(secret))
        assert has_access(client)


def test_throttle_is_at_most_15_minutes(enrolled):
    with time_machine.travel(time.time(), tick=False) as clock:
        TOTPDevice.objects.update(failures=100_000, failed_at=timezone.now())
        for minutes, accepted in ((14, False), (1, True)):
            clock.shift(timedelta(minutes=minutes))
            client = Client()
            sign_in(client, "staffer", code=totp_code(enrolled[0]))
            assert has_access(client) is accepted


def test_login_is_throttled_before_hashing(enrolled, rate, monkeypatch):
    rate("login", 2)
    client, hashed = Client(), []
    monkeypatch.setattr(User, "check_password", lambda self, raw: hashed.append(raw))
    for n in range(4):
        sign_in(client, "staffer", password=f"guess {n}")
    assert hashed == ["guess 0", "guess 1"]
    monkeypatch.undo()
    rate("login", 2)
    code = totp_code(enrolled[0])
    assert sign_in(client, "staffer", code=code).status_code == 200
    assert sign_in(client, "staffer", code=code, REMOTE_ADDR="10.0.0.2").status_code == 302


def test_session_key_changes_after_each_step(client, enrolled):
    client.get(LOGIN)
    client.force_login(User.objects.get(username="staffer"))
    before = client.session.session_key
    sign_in(client, "staffer", code=totp_code(enrolled[0]))
    assert client.session.session_key != before
    client.post("/admin/two-factor/", {"code": enrolled[1][0], "replace": "1"})
    after = client.session.session_key
    client.post(SETUP, {"code": totp_code(get_secret(client.get(SETUP)))})
    assert client.session.session_key not in (before, after)


def test_session_expires_when_idle_or_after_8_hours(enrolled):
    with time_machine.travel(time.time(), tick=False) as clock:
        idle, busy = Client(), Client()
        sign_in(idle, "staffer", code=enrolled[1][0])
        sign_in(busy, "staffer", code=enrolled[1][1])
        clock.shift(timedelta(minutes=59))
        assert has_access(busy)
        clock.shift(timedelta(minutes=2))
        assert (has_access(idle), has_access(busy)) == (False, True)
        for _n in range(8):
            clock.shift(timedelta(minutes=50))
            assert has_access(busy)
        clock.shift(timedelta(minutes=30))
        assert not has_access(busy)


def test_enrollment_expires_with_time_or_account_change(staff):
    with time_machine.travel(time.time(), tick=False) as clock:
        late, changed = Client(), Client()
        sign_in(late, "staffer")
        clock.shift(timedelta(minutes=10))
        sign_in(changed, "staffer")
        assert changed.get(SETUP).status_code == 200
        clock.shift(timedelta(minutes=6))
        assert late.get(SETUP).status_code == 302
        staff.change_password(NEW)
        assert changed.get(SETUP).status_code == 302
        sign_in(late, "staffer", password=NEW)
        User.objects.filter(pk=staff.pk).update(is_staff=False)
        assert late.get(SETUP).status_code == 302


def test_concurrent_enrollments_first_one_wins(staff):
    first, second = Client(), Client()
    secrets = []
    for client in (first, second):
        sign_in(client, "staffer")
        secrets.append(get_secret(client.get(SETUP)))
    assert first.post(SETUP, {"code": totp_code(secrets[0])}).status_code == 200
    assert second.post(SETUP, {"code": totp_code(secrets[1])}).status_code == 302
    assert (has_access(first), has_access(second)) == (True, False)


def test_device_changes_require_a_code(client, enrolled, events):
    secret, codes = enrolled
    sign_in(client, "staffer", code=codes[0])
    assert client.post(SETTINGS, {"code": "000000", "renew": "1"}).status_code == 200
    fresh = get_recovery_codes(client.post(SETTINGS, {"code": totp_code(secret), "renew": "1"}))
    assert len(fresh) == 10
    for code in (codes[1], totp_code(secret)):
        assert client.post(SETTINGS, {"code": code, "replace": "1"}).status_code == 200
    elsewhere = Client()
    elsewhere.force_login(User.objects.get(username="staffer"))
    assert client.post(SETTINGS, {"code": fresh[0], "replace": "1"})["Location"] == SETUP
    assert (has_access(client), has_access(elsewhere)) == (False, True)
    client.post(SETUP, {"code": totp_code(get_secret(client.get(SETUP)))})
    assert (has_access(client), has_access(elsewhere)) == (True, False)
    assert {"factor.codes_renewed", "factor.removed", "factor.enrolled"} <= {verb for verb, *_rest in events}


def test_old_device_works_until_replaced(client, enrolled):
    _secret, codes = enrolled
    sign_in(client, "staffer", code=codes[0])
    assert client.post(SETTINGS, {"code": codes[1], "replace": "1"})["Location"] == SETUP
    assert client.get(SETUP).status_code == 200  # the user abandons the setup
    assert sign_in(Client(), "staffer").status_code == 200  # the password alone is not enough
    again = Client()
    sign_in(again, "staffer", code=codes[2])
    assert again.post(SETTINGS, {"code": codes[3], "replace": "1"})["Location"] == SETUP
    again.post(SETUP, {"code": totp_code(get_secret(again.get(SETUP)))})
    assert has_access(again)
    # The abandoned setup cannot add a second device.
    assert client.post(SETUP, {"code": totp_code(get_secret(client.get(SETUP)))}).status_code == 302
    assert (has_access(client), has_access(again)) == (False, True)


def test_superuser_resets_a_device(staff, make_user, events):
    lost, helper = make_user("loser", is_staff=True), Client()
    theirs = Client()
    enroll(theirs, "loser")
    assert theirs.get("/admin/").status_code == 200
    helper.force_login(staff)
    body = {"action": "reset_two_factor", "_selected_action": [lost.pk]}
    page = helper.post(USERS, body, follow=True).content.decode()
    assert "Accounts whose two-factor authentication was reset: 1." in page
    assert theirs.get("/admin/").status_code == 302
    assert sign_in(theirs, "loser")["Location"].startswith(SETUP)
    assert ("factor.reset", lost.pk, staff.pk, "") in events


def test_command_resets_a_device(enrolled, events):
    out = StringIO()
    call_command("reset_two_factor", "STAFFER", stdout=out)
    call_command("reset_two_factor", "staffer", stdout=out)
    assert out.getvalue().splitlines() == [
        "staffer: the next sign-in sets up another app",
        "staffer: it had not been set up",
    ]
    assert [verb for verb, *_rest in events] == ["factor.reset"]
    with pytest.raises(CommandError):
        call_command("reset_two_factor", "nobody")


def test_secret_with_another_key_accepts_no_code(client, enrolled, settings):
    settings.SECRET_KEY = "another " * 8
    sign_in(client, "staffer", code=totp_code(enrolled[0]))
    assert not has_access(client)


def test_two_factor_can_be_disabled(client, staff, settings):
    settings.ADMIN_SECOND_FACTOR = False
    assert b'name="code"' not in client.get(LOGIN).content
    assert client.post(LOGIN, {"username": "staffer", "password": PASSWORD})["Location"] == "/admin/"
    assert has_access(client)
    assert client.get(SETTINGS).status_code == 200
    settings.ADMIN_SECOND_FACTOR = True
    assert not has_access(client)


def test_login_does_not_redirect_to_another_site(client, enrolled):
    response = client.post(
        LOGIN,
        {"username": "staffer", "password": PASSWORD, "code": enrolled[1][0], "next": "https://example.org/"},
    )
    assert response["Location"] == "/admin/"


def test_logout(client, enrolled, events):
    sign_in(client, "staffer", code=enrolled[1][0])
    assert client.post("/admin/logout/").status_code == 200
    assert not has_access(client)
    assert events[-1][0] == "staff.signed_out"
