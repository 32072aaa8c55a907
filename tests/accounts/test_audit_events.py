import datetime
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import login_failures
from accounts.models import User
from core.audit.models import AuditEntry
from tests.accounts.conftest import V1, bearer, token_in
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

WRONG, NEW = "wrong horse battery", "a new horse battery"
ADDRESS = "198.51.100.7"


@pytest.fixture(autouse=True)
def rates_are_off(settings, monkeypatch):
    rates = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
    for scope in rates:
        monkeypatch.setitem(rates, scope, None)


def entries():
    rows = AuditEntry.objects.order_by("id").values_list("verb", "outcome", "actor", "target_id")
    return [row for row in rows if row[0] not in ("account.created", "session.created")]


def test_login_failures_are_audited(anonymous, alice, make_user):
    deactivated = make_user("gone", is_active=False)
    suspended = make_user("away", suspended_until=timezone.now() + datetime.timedelta(days=1))
    attempts = [
        ("alice", WRONG),
        ("alice@example.org", WRONG),
        ("nobody", WRONG),
        (PASSWORD, WRONG),
        ("gone", PASSWORD),
    ]
    for name, password in [*attempts, ("away", WRONG), ("away", PASSWORD)]:
        anonymous.post(f"{V1}auth/login/", {"username": name, "password": password}, REMOTE_ADDR=ADDRESS)
    accounts = [alice.pk, alice.pk, None, None, deactivated.pk, suspended.pk, suspended.pk]
    assert entries() == [("session.refused", "refused", None, account) for account in accounts]
    assert set(AuditEntry.objects.values_list("ip_address", flat=True)) == {ADDRESS}
    details = list(AuditEntry.objects.order_by("id").values_list("detail", flat=True))
    assert [detail.split()[:1] for detail in details] == [[], [], ["name"], ["name"], [], [], ["suspended"]]
    stored = json.dumps(list(AuditEntry.objects.values()), default=str)
    assert PASSWORD not in stored
    assert "nobody" not in stored


def test_sessions_and_revocations_are_audited(post, alice, sign_in):
    first, second, third = (sign_in("alice") for _n in range(3))
    own = bearer(first["access"])
    assert post("logout", refresh=second["refresh"]).status_code == 204
    other = [row["id"] for row in own.get(f"{V1}auth/sessions/").json()["results"] if not row["current"]]
    assert own.delete(f"{V1}auth/sessions/{other[0]}/").status_code == 204
    sign_in("alice")
    assert own.delete(f"{V1}auth/sessions/").status_code == 204
    assert post("logout", refresh=first["refresh"]).status_code == 204
    assert post("logout", refresh=third["refresh"]).status_code == 204  # already revoked
    verbs = ["session.created"] * 3 + ["session.ended"] * 2 + ["session.created", "sessions.ended", "session.ended"]
    assert list(AuditEntry.objects.order_by("id").values_list("verb", flat=True)) == verbs
    assert set(AuditEntry.objects.values_list("actor", "target_id")) == {(alice.pk, alice.pk)}


def test_token_reuse_is_audited(post, alice, sign_in, settings):
    settings.REFRESH_GRACE_SECONDS = 0
    stolen = sign_in("alice")["refresh"]
    assert post("refresh", refresh=stolen).status_code == 200
    assert post("refresh", refresh=stolen).json()["code"] == "token_reused"
    assert post("refresh", refresh=stolen).status_code == 401  # the session is revoked
    assert entries() == [("session.reused", "refused", alice.pk, alice.pk)]


def test_password_and_email_changes_are_audited(post, alice, client_of, mailoutbox, immediate_emails):
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
    failed = [("password.refused", "refused", alice.pk, alice.pk)] * 3
    verbs = ("password.changed", "password.reset_requested", "password.reset")
    succeeded = [*verbs, "email.change_requested", "email.changed"]
    assert entries() == failed + [(verb, "done", alice.pk, alice.pk) for verb in succeeded]
    stored = json.dumps(list(AuditEntry.objects.values()), default=str)
    assert not [secret for secret in (PASSWORD, NEW, WRONG, reset["token"], "a@example.com") if secret in stored]


@pytest.mark.parametrize(
    "headers", [{"Idempotency-Key": "k"}, {"If-Match": "*"}], ids=lambda headers: next(iter(headers))
)
def test_wrong_password_is_audited_despite_rollback(alice, client_of, headers):
    """With either header the view runs in a transaction, which the error response rolls back."""
    own = client_of(alice)
    change = {"current_password": WRONG, "new_password": NEW, "email": "a@example.com"}
    assert own.post(f"{V1}auth/password/change/", change, headers=headers).status_code == 400
    assert own.post(f"{V1}auth/email/change/", change, headers=headers).status_code == 400
    assert own.delete(f"{V1}users/me/", {"password": WRONG}, headers=headers).status_code == 400
    assert entries() == [("password.refused", "refused", alice.pk, alice.pk)] * 3


def test_export_and_deletion_are_audited(alice, client_of):
    own, pk = client_of(alice), alice.pk
    response = own.get(f"{V1}users/me/export/")
    assert response.getvalue()
    assert own.delete(f"{V1}users/me/", {"password": PASSWORD}).status_code == 204
    assert entries() == [("account.exported", "done", pk, pk), ("account.closed", "done", pk, pk)]


def test_login_failure_entries_are_limited(anonymous, alice, monkeypatch):
    monkeypatch.setattr(login_failures, "MAX_PER_NAME", 3)
    monkeypatch.setattr(login_failures, "MAX_PER_IP", 5)
    monkeypatch.setattr(login_failures, "MAX_TOTAL", 8)

    def fail(name, address):
        body = {"username": name, "password": WRONG}
        assert anonymous.post(f"{V1}auth/login/", body, REMOTE_ADDR=address).status_code == 401
        return AuditEntry.objects.filter(verb="session.refused").count()

    # The limit per name ignores case and applies to existing and unknown names.
    assert [fail(name, ADDRESS) for name in ("alice", "ALICE", " alice", "Alice")] == [1, 2, 3, 3]
    assert [fail("nobody", "198.51.100.8") for _n in range(4)] == [4, 5, 6, 6]
    # The limit per address counts an IPv6 network as one address.
    assert [fail(f"n{n}", f"2001:db8::{n}") for n in range(3)] == [7, 8, 8]
    monkeypatch.setattr(login_failures, "MAX_TOTAL", 100)
    assert [fail(f"m{n}", f"2001:db8::{n}") for n in range(4)] == [9, 10, 10, 10]


def test_login_failure_does_not_reveal_accounts(post, alice, monkeypatch):
    """Existing and unknown names run the same statements, even beyond the limit, so response times do not differ."""
    monkeypatch.setattr(login_failures, "MAX_PER_NAME", 2)
    statements = []
    for _n in range(3):
        for name in ("alice", "alicf", "alice@example.org", "alicf@example.org"):
            with CaptureQueriesContext(connection) as queries:
                assert post("login", username=name, password=WRONG).status_code == 401
            statements.append([query["sql"].split()[0] for query in queries])
    assert [*map(tuple, statements[:4])] == [("SELECT", "INSERT")] * 4
    assert [*map(tuple, statements[-4:])] == [("SELECT",)] * 4
    assert User.objects.count() == 1
