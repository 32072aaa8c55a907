"""What touches the safety of an account stands in the audit log, done and refused; no flood of refusals fills it."""

import datetime
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import refusals
from accounts.models import User
from bookbridge.api.audit.models import AuditEntry
from tests.accounts.conftest import V1, bearer, token_in
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

WRONG, NEW = "wrong horse battery", "a new horse battery"
HERE = "198.51.100.7"


@pytest.fixture(autouse=True)
def rates_are_off(settings, monkeypatch):
    rates = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
    for scope in rates:
        monkeypatch.setitem(rates, scope, None)


def entries():
    """Verb, outcome, who, whose account: the oldest first."""
    rows = AuditEntry.objects.order_by("id").values_list("verb", "outcome", "actor", "target_id")
    return [row for row in rows if row[0] not in ("account.created", "session.created")]


def test_refused_sign_ins(anonymous, alice, make_user):
    gone = make_user("gone", is_active=False)
    away = make_user("away", suspended_until=timezone.now() + datetime.timedelta(days=1))
    tries = [("alice", WRONG), ("alice@example.org", WRONG), ("nobody", WRONG), (PASSWORD, WRONG), ("gone", PASSWORD)]
    for name, password in [*tries, ("away", WRONG), ("away", PASSWORD)]:
        anonymous.post(f"{V1}auth/login/", {"username": name, "password": password}, REMOTE_ADDR=HERE)
    accounts = [alice.pk, alice.pk, None, None, gone.pk, away.pk, away.pk]
    assert entries() == [("session.refused", "refused", None, account) for account in accounts]
    assert set(AuditEntry.objects.values_list("address", flat=True)) == {HERE}
    details = list(AuditEntry.objects.order_by("id").values_list("detail", flat=True))
    assert [detail.split()[:1] for detail in details] == [[], [], ["name"], ["name"], [], [], ["suspended"]]
    kept = json.dumps(list(AuditEntry.objects.values()), default=str)
    assert PASSWORD not in kept
    assert "nobody" not in kept


def test_sign_ins_and_their_ends(post, alice, sign_in):
    first, second, third = (sign_in("alice") for _n in range(3))
    own = bearer(first["access"])
    assert post("logout", refresh=second["refresh"]).status_code == 204
    other = [row["id"] for row in own.get(f"{V1}auth/sessions/").json()["results"] if not row["current"]]
    assert own.delete(f"{V1}auth/sessions/{other[0]}/").status_code == 204
    sign_in("alice")
    assert own.delete(f"{V1}auth/sessions/").status_code == 204
    assert post("logout", refresh=first["refresh"]).status_code == 204
    assert post("logout", refresh=third["refresh"]).status_code == 204  # over already
    verbs = ["session.created"] * 3 + ["session.ended"] * 2 + ["session.created", "sessions.ended", "session.ended"]
    assert list(AuditEntry.objects.order_by("id").values_list("verb", flat=True)) == verbs
    assert set(AuditEntry.objects.values_list("actor", "target_id")) == {(alice.pk, alice.pk)}


def test_a_token_that_is_used_again(post, alice, sign_in, settings):
    settings.REFRESH_GRACE_SECONDS = 0
    stolen = sign_in("alice")["refresh"]
    assert post("refresh", refresh=stolen).status_code == 200
    assert post("refresh", refresh=stolen).json()["code"] == "token_reused"
    assert post("refresh", refresh=stolen).status_code == 401  # the sign-in is over
    assert entries() == [("session.reused", "refused", alice.pk, alice.pk)]


def test_passwords_and_the_address(post, alice, client_of, mailoutbox, mails_at_call):
    own = client_of(alice)
    change = {"current_password": WRONG, "new_password": NEW}
    assert own.post(f"{V1}auth/password/change/", change).status_code == 400
    assert own.post(f"{V1}auth/email/change/", {"email": "a@example.com", "current_password": WRONG}).status_code == 400
    assert own.delete(f"{V1}users/me/", {"password": WRONG}).status_code == 400
    assert own.post(f"{V1}auth/password/change/", change | {"current_password": PASSWORD}).status_code == 204
    assert post("password/reset", email="alice@example.org").status_code == 202
    reset = {"token": token_in(mailoutbox[-1]), "new_password": PASSWORD}
    assert post("password/reset/confirm", **reset).status_code == 204
    own = client_of(User.objects.get())
    asked = {"email": "a@example.com", "current_password": PASSWORD}
    assert own.post(f"{V1}auth/email/change/", asked).status_code == 202
    link = next(mail for mail in mailoutbox if mail.to == ["a@example.com"])
    assert post("email/verify/confirm", token=token_in(link)).status_code == 204
    refused = [("password.refused", "refused", alice.pk, alice.pk)] * 3
    verbs = ("password.changed", "password.reset_requested", "password.reset")
    done = [*verbs, "email.change_requested", "email.changed"]
    assert entries() == refused + [(verb, "done", alice.pk, alice.pk) for verb in done]
    kept = json.dumps(list(AuditEntry.objects.values()), default=str)
    assert not [secret for secret in (PASSWORD, NEW, WRONG, reset["token"], "a@example.com") if secret in kept]


@pytest.mark.parametrize(
    "headers", [{"Idempotency-Key": "k"}, {"If-Match": "*"}], ids=lambda headers: next(iter(headers))
)
def test_no_header_keeps_a_refused_password_out_of_the_log(alice, client_of, headers):
    """Both put a transaction around the call, and a refusal takes back what is written in it."""
    own = client_of(alice)
    change = {"current_password": WRONG, "new_password": NEW, "email": "a@example.com"}
    assert own.post(f"{V1}auth/password/change/", change, headers=headers).status_code == 400
    assert own.post(f"{V1}auth/email/change/", change, headers=headers).status_code == 400
    assert own.delete(f"{V1}users/me/", {"password": WRONG}, headers=headers).status_code == 400
    assert entries() == [("password.refused", "refused", alice.pk, alice.pk)] * 3


def test_an_export_and_the_end_of_an_account(alice, client_of):
    own, pk = client_of(alice), alice.pk
    answer = own.get(f"{V1}users/me/export/")
    assert answer.getvalue()
    answer.close()
    assert own.delete(f"{V1}users/me/", {"password": PASSWORD}).status_code == 204
    assert entries() == [("account.exported", "done", pk, pk), ("account.closed", "done", pk, pk)]


def test_a_flood_leaves_its_trace_and_fills_no_table(anonymous, alice, monkeypatch):
    monkeypatch.setattr(refusals, "OF_A_NAME", 3)
    monkeypatch.setattr(refusals, "OF_AN_ADDRESS", 5)
    monkeypatch.setattr(refusals, "OF_ALL", 8)

    def fail(name, address):
        body = {"username": name, "password": WRONG}
        assert anonymous.post(f"{V1}auth/login/", body, REMOTE_ADDR=address).status_code == 401
        return AuditEntry.objects.filter(verb="session.refused").count()

    # Of one name, however it is spelt; whether somebody has it or not.
    assert [fail(name, HERE) for name in ("alice", "ALICE", " alice", "Alice")] == [1, 2, 3, 3]
    assert [fail("nobody", "198.51.100.8") for _n in range(4)] == [4, 5, 6, 6]
    # Of one address: an IPv6 caller has a whole network.
    assert [fail(f"n{n}", f"2001:db8::{n}") for n in range(3)] == [7, 8, 8]
    monkeypatch.setattr(refusals, "OF_ALL", 100)
    assert [fail(f"m{n}", f"2001:db8::{n}") for n in range(4)] == [9, 10, 10, 10]


def test_a_name_that_somebody_has_is_asked_and_written_like_one_that_nobody_has(post, alice, monkeypatch):
    """The same statements, so that no time tells them apart; beyond the limit too."""
    monkeypatch.setattr(refusals, "OF_A_NAME", 2)
    asked = []
    for _n in range(3):
        for name in ("alice", "alicf", "alice@example.org", "alicf@example.org"):
            with CaptureQueriesContext(connection) as queries:
                assert post("login", username=name, password=WRONG).status_code == 401
            asked.append([query["sql"].split()[0] for query in queries])
    assert [*map(tuple, asked[:4])] == [("SELECT", "INSERT")] * 4
    assert [*map(tuple, asked[-4:])] == [("SELECT",)] * 4
    assert User.objects.count() == 1
