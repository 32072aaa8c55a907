"""Staff come in with a password and a code, and stay for a working day at most."""

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
from accounts.staff.models import RecoveryCode, SecondFactor
from tests.conftest import PASSWORD
from tests.staff import ENROL, LOGIN, OWN, code_of, enrol, shown_codes, shown_secret, sign_in

pytestmark = pytest.mark.django_db

USERS = "/admin/accounts/user/"
NEW = "a new horse battery"


@pytest.fixture
def client():
    return Client()


@pytest.fixture
def enrolled(staff):
    """The secret and the recovery codes of the staff's app, which was set up some time ago."""
    with time_machine.travel(time.time() - 300):
        return enrol(Client(), "staffer")


@pytest.fixture
def heard():
    """What happened to accounts, as (verb, user, actor, detail)."""
    found = []

    def listen(sender, *, event, **kwargs):
        found.append((event.verb, event.user, event.actor, event.detail))

    account_event.connect(listen)
    yield found
    account_event.disconnect(listen)


def is_in(client):
    return client.get(USERS).status_code == 200


def test_the_first_sign_in_sets_up_an_app_and_nothing_opens_before(client, staff):
    answer = sign_in(client, "STAFFER")
    assert (answer.status_code, answer["Location"]) == (302, f"{ENROL}?next=%2Fadmin%2F")
    for path in ("/admin/", USERS, OWN, "/admin/password_change/", "/admin/jsi18n/", "/admin/search/"):
        assert client.get(path).status_code == 302, path
    page = client.get(ENROL)
    secret = shown_secret(page)
    assert "<svg" in page.content.decode()
    assert page["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"
    assert shown_secret(client.get(ENROL)) == secret  # a reload changes nothing
    assert shown_secret(client.post(ENROL, {"code": "000000"})) == secret
    assert not is_in(client)
    page = client.post(ENROL, {"code": code_of(secret), "next": "/admin/accounts/user/"})
    assert len(set(shown_codes(page))) == 10
    assert f'href="{USERS}"' in page.content.decode()
    assert is_in(client)
    assert client.get(ENROL).status_code == 302  # neither secret nor codes can be seen again


def test_the_first_sign_in_leads_on_to_the_page_that_was_asked_for(client, staff):
    form = {"username": "staffer", "password": PASSWORD, "code": "", "next": USERS}
    address = client.post(LOGIN, form)["Location"]
    page = client.get(address)
    assert 'name="next"' not in page.content.decode(), "else the form would send it empty, and that counts"
    page = client.post(address, {"code": code_of(shown_secret(page))})
    assert f'href="{USERS}"' in page.content.decode()


def test_after_that_name_password_and_code_are_wanted_and_not_told_apart(client, enrolled, alice, heard):
    secret, _codes = enrolled
    right = {"username": "staffer", "password": PASSWORD, "code": code_of(secret)}
    wrong = "000000" if right["code"] != "000000" else "000001"
    pages = []
    for change in ({"password": "wrong"}, {"code": ""}, {"code": wrong}, {"username": "alice"}, {"username": "nobody"}):
        answer = client.post(LOGIN, right | change)
        assert answer.status_code == 200
        pages.append(answer.context["form"].errors.as_text())
    assert len(set(pages)) == 1
    assert [verb for verb, *_rest in heard] == [
        "staff.refused",
        "staff.code_refused",
        "staff.code_refused",
        "staff.refused",
        "staff.refused",
    ]
    assert not is_in(client)
    assert client.post(LOGIN, right | {"username": "STAFFER", "next": USERS})["Location"] == USERS
    assert is_in(client)
    assert heard[-1][0] == "staff.signed_in"
    assert client.get(LOGIN).status_code == 302


def test_a_name_that_nobody_has_is_not_kept(client, staff, heard):
    sign_in(client, PASSWORD)
    ((verb, user, _actor, detail),) = heard
    assert (verb, user) == ("staff.refused", None)
    assert detail.startswith("name ")
    assert PASSWORD not in detail


@pytest.mark.parametrize(("steps", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_differ_by_half_a_minute(client, enrolled, steps, accepted):
    with time_machine.travel(time.time() // 30 * 30 + 10, tick=False):
        sign_in(client, "staffer", code=code_of(enrolled[0], steps=steps))
        assert is_in(client) is accepted


def test_a_code_serves_once_and_no_older_one_after_it(enrolled):
    with time_machine.travel(time.time() // 30 * 30 + 10, tick=False):
        code, older = code_of(enrolled[0]), code_of(enrolled[0], steps=-1)
        first, second = Client(), Client()
        sign_in(first, "staffer", code=code)
        sign_in(second, "staffer", code=code)
        sign_in(second, "staffer", code=older)
        assert (is_in(first), is_in(second)) == (True, False)


def test_the_code_of_the_enrolment_serves_for_no_sign_in(client, staff):
    with time_machine.travel(time.time(), tick=False):
        secret, _codes = enrol(client, "staffer")
        other = Client()
        sign_in(other, "staffer", code=code_of(secret))
        assert not is_in(other)


@pytest.mark.parametrize(
    "code", ["12345", "1234567", "١٢٣٤٥٦", "12345a", "-12345", "+12345", "1e5", "𝟏𝟐𝟑𝟒𝟓𝟔", "\ud800", "\x00"]
)
def test_what_is_no_code_is_refused(client, enrolled, code):
    assert sign_in(client, "staffer", code=code.encode("utf-8", "replace").decode()).status_code == 200
    assert not is_in(client)


def test_a_recovery_code_serves_once_in_any_spelling(enrolled):
    code, other = enrolled[1][:2]
    for given, accepted in ((code.upper(), True), (code, False), (other.replace("-", " "), True)):
        client = Client()
        sign_in(client, "staffer", code=given)
        assert is_in(client) is accepted
    assert RecoveryCode.objects.count() == 8


def test_neither_the_secret_nor_a_recovery_code_can_be_read_from_the_database(enrolled):
    secret, codes = enrolled
    factor = SecondFactor.objects.get()
    kept = factor.secret + "".join(factor.recovery_codes.values_list("digest", flat=True))
    assert secret not in kept
    assert not any(code.replace("-", "") in kept for code in codes)


def test_after_five_wrong_codes_the_app_waits_and_a_recovery_code_does_not(enrolled):
    secret, codes = enrolled
    with time_machine.travel(time.time() // 30 * 30, tick=False) as clock:
        for _n in range(4):
            sign_in(Client(), "staffer", code="000000")
        for code, seconds in (("000000", 1), ("000000", 2), ("000000", 4)):
            sign_in(Client(), "staffer", code=code)
            clock.shift(seconds - 0.5)
            client = Client()
            sign_in(client, "staffer", code=code_of(secret))
            assert not is_in(client)
            clock.shift(0.5)
        sign_in(Client(), "staffer", code="000000")
        client = Client()
        sign_in(client, "staffer", code=codes[0])
        assert is_in(client)
        clock.shift(8)
        client = Client()
        sign_in(client, "staffer", code=code_of(secret))
        assert is_in(client)


def test_no_wait_is_longer_than_a_quarter_of_an_hour(enrolled):
    with time_machine.travel(time.time(), tick=False) as clock:
        SecondFactor.objects.update(failures=100_000, failed_at=timezone.now())
        for minutes, accepted in ((14, False), (1, True)):
            clock.shift(timedelta(minutes=minutes))
            client = Client()
            sign_in(client, "staffer", code=code_of(enrolled[0]))
            assert is_in(client) is accepted


def test_tries_are_counted_as_in_the_api_before_a_password_is_hashed(enrolled, rate, monkeypatch):
    rate("login", 2)
    client, hashed = Client(), []
    monkeypatch.setattr(User, "check_password", lambda self, raw: hashed.append(raw))
    for n in range(4):
        sign_in(client, "staffer", password=f"guess {n}")
    assert hashed == ["guess 0", "guess 1"]
    monkeypatch.undo()
    rate("login", 2)
    code = code_of(enrolled[0])
    assert sign_in(client, "staffer", code=code).status_code == 200
    assert sign_in(client, "staffer", code=code, REMOTE_ADDR="10.0.0.2").status_code == 302


def test_the_session_has_a_new_key_after_each_step(client, enrolled):
    client.get(LOGIN)
    client.force_login(User.objects.get(username="staffer"))
    before = client.session.session_key
    sign_in(client, "staffer", code=code_of(enrolled[0]))
    assert client.session.session_key != before
    client.post("/admin/second-factor/", {"code": enrolled[1][0], "replace": "1"})
    after = client.session.session_key
    client.post(ENROL, {"code": code_of(shown_secret(client.get(ENROL)))})
    assert client.session.session_key not in (before, after)


def test_a_sign_in_ends_after_an_hour_alone_and_after_eight_in_any_case(enrolled):
    with time_machine.travel(time.time(), tick=False) as clock:
        idle, busy = Client(), Client()
        sign_in(idle, "staffer", code=enrolled[1][0])
        sign_in(busy, "staffer", code=enrolled[1][1])
        clock.shift(timedelta(minutes=59))
        assert is_in(busy)
        clock.shift(timedelta(minutes=2))
        assert (is_in(idle), is_in(busy)) == (False, True)
        for _n in range(8):
            clock.shift(timedelta(minutes=50))
            assert is_in(busy)
        clock.shift(timedelta(minutes=30))
        assert not is_in(busy)


def test_an_enrolment_ends_with_its_time_and_with_the_password_it_began_with(staff):
    with time_machine.travel(time.time(), tick=False) as clock:
        late, changed = Client(), Client()
        sign_in(late, "staffer")
        clock.shift(timedelta(minutes=10))
        sign_in(changed, "staffer")
        assert changed.get(ENROL).status_code == 200
        clock.shift(timedelta(minutes=6))
        assert late.get(ENROL).status_code == 302
        staff.change_password(NEW)
        assert changed.get(ENROL).status_code == 302
        sign_in(late, "staffer", password=NEW)
        User.objects.filter(pk=staff.pk).update(is_staff=False)
        assert late.get(ENROL).status_code == 302


def test_of_two_enrolments_the_first_counts(staff):
    first, second = Client(), Client()
    secrets = []
    for client in (first, second):
        sign_in(client, "staffer")
        secrets.append(shown_secret(client.get(ENROL)))
    assert first.post(ENROL, {"code": code_of(secrets[0])}).status_code == 200
    assert second.post(ENROL, {"code": code_of(secrets[1])}).status_code == 302
    assert (is_in(first), is_in(second)) == (True, False)


def test_new_recovery_codes_and_another_app_take_a_code(client, enrolled, heard):
    secret, codes = enrolled
    sign_in(client, "staffer", code=codes[0])
    assert client.post(OWN, {"code": "000000", "renew": "1"}).status_code == 200
    fresh = shown_codes(client.post(OWN, {"code": code_of(secret), "renew": "1"}))
    assert len(fresh) == 10
    for code in (codes[1], code_of(secret)):
        assert client.post(OWN, {"code": code, "replace": "1"}).status_code == 200
    elsewhere = Client()
    elsewhere.force_login(User.objects.get(username="staffer"))
    assert client.post(OWN, {"code": fresh[0], "replace": "1"})["Location"] == ENROL
    assert (is_in(client), is_in(elsewhere)) == (False, True)
    client.post(ENROL, {"code": code_of(shown_secret(client.get(ENROL)))})
    assert (is_in(client), is_in(elsewhere)) == (True, False)
    assert {"factor.codes_renewed", "factor.removed", "factor.enrolled"} <= {verb for verb, *_rest in heard}


def test_an_app_serves_until_another_is_set_up(client, enrolled):
    _secret, codes = enrolled
    sign_in(client, "staffer", code=codes[0])
    assert client.post(OWN, {"code": codes[1], "replace": "1"})["Location"] == ENROL
    assert client.get(ENROL).status_code == 200  # and they go away
    assert sign_in(Client(), "staffer").status_code == 200  # a password alone opens nothing
    again = Client()
    sign_in(again, "staffer", code=codes[2])
    assert again.post(OWN, {"code": codes[3], "replace": "1"})["Location"] == ENROL
    again.post(ENROL, {"code": code_of(shown_secret(again.get(ENROL)))})
    assert is_in(again)
    # What was begun before sets up no second one.
    assert client.post(ENROL, {"code": code_of(shown_secret(client.get(ENROL)))}).status_code == 302
    assert (is_in(client), is_in(again)) == (False, True)


def test_a_lost_app_is_reset_by_who_may_do_everything(staff, make_user, heard):
    lost, helper = make_user("loser", is_staff=True), Client()
    theirs = Client()
    enrol(theirs, "loser")
    assert theirs.get("/admin/").status_code == 200
    helper.force_login(staff)
    body = {"action": "reset_second_factor", "_selected_action": [lost.pk]}
    assert "Second factors reset: 1." in helper.post(USERS, body, follow=True).content.decode()
    assert theirs.get("/admin/").status_code == 302
    assert sign_in(theirs, "loser")["Location"].startswith(ENROL)
    assert ("factor.reset", lost.pk, staff.pk, "") in heard


def test_a_lost_app_is_reset_by_a_command(enrolled, heard):
    out = StringIO()
    call_command("reset_second_factor", "STAFFER", stdout=out)
    call_command("reset_second_factor", "staffer", stdout=out)
    assert out.getvalue().splitlines() == [
        "staffer: the next sign-in sets up another app",
        "staffer: there was no second factor",
    ]
    assert [verb for verb, *_rest in heard] == ["factor.reset"]
    with pytest.raises(CommandError):
        call_command("reset_second_factor", "nobody")


def test_a_secret_sealed_with_another_key_opens_to_no_code(client, enrolled, settings):
    settings.SECRET_KEY = "another " * 8
    sign_in(client, "staffer", code=code_of(enrolled[0]))
    assert not is_in(client)


def test_development_may_do_without(client, staff, settings):
    settings.ADMIN_SECOND_FACTOR = False
    assert b'name="code"' not in client.get(LOGIN).content
    assert client.post(LOGIN, {"username": "staffer", "password": PASSWORD})["Location"] == "/admin/"
    assert is_in(client)
    assert client.get(OWN).status_code == 200
    settings.ADMIN_SECOND_FACTOR = True
    assert not is_in(client)


def test_the_address_to_go_on_to_stays_on_this_site(client, enrolled):
    answer = client.post(
        LOGIN,
        {"username": "staffer", "password": PASSWORD, "code": enrolled[1][0], "next": "https://example.org/"},
    )
    assert answer["Location"] == "/admin/"


def test_signing_out(client, enrolled, heard):
    sign_in(client, "staffer", code=enrolled[1][0])
    assert client.post("/admin/logout/").status_code == 200
    assert not is_in(client)
    assert heard[-1][0] == "staff.signed_out"
