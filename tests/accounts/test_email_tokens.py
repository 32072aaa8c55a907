import datetime
import json
import logging
from pathlib import Path
from smtplib import SMTPServerDisconnected

import pytest
from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from accounts import emails
from accounts.models import EmailToken, User
from core import mail as api_mail
from core.tasks.models import QueuedTask
from core.tasks.worker import run_pending
from tests.accounts.conftest import V1, codes, is_accepted, token_in
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("immediate_emails")]

NEW = "a new horse battery"


@pytest.fixture
def bob(make_user):
    return make_user("bob", email="bob@example.org")


@pytest.fixture
def run_tasks(immediate_emails, settings):
    """Queue the tasks instead of running them at once; returns a function that runs them."""
    settings.TASKS = {"default": {"BACKEND": "core.tasks.backend.DatabaseBackend"}}
    return run_pending


@pytest.fixture
def post_email(client_of):

    def call(user, route, **body):
        return client_of(user).post(f"{V1}auth/email/{route}/", body)

    return call


def is_invalid_token(response):
    return (response.status_code, response.json().get("code")) == (400, "invalid_token")


# --- Verification ----------------------------------------------------------------------------------------------------


def test_registration_link_verifies_address(post, mailoutbox):
    post("register", username="dora", password=NEW, email="Dora@Example.org")
    [message] = mailoutbox
    assert message.to == ["Dora@Example.org"]
    assert f"{settings.APP_URL}/email/confirm?token=" in message.body
    token = token_in(message)
    assert len(token) >= 22  # 128 bits at least
    assert post("login", username="dora@example.org", password=NEW).status_code == 401
    response = post("email/verify/confirm", token=token)
    assert (response.status_code, response.content) == (204, b"")
    assert post("login", username="dora@example.org", password=NEW).json()["user"]["email_verified"] is True
    # The token is valid only once.
    assert is_invalid_token(post("email/verify/confirm", token=token))


def test_only_the_newest_link_is_valid(post_email, post, bob, mailoutbox):
    for _ in range(2):
        assert post_email(bob, "verify").status_code == 202
    older, newer = (token_in(message) for message in mailoutbox)
    assert is_invalid_token(post("email/verify/confirm", token=older))
    assert post("email/verify/confirm", token=newer).status_code == 204


def test_verify_without_unverified_address_is_409(post_email, alice, charlie):
    for user in (alice, charlie):  # already verified; no address
        response = post_email(user, "verify")
        assert (response.status_code, response.json()["code"]) == (409, "nothing_to_verify")


@pytest.mark.parametrize(("purpose", "hours"), [("verify", 72), ("change", 24), ("reset", 1)])
def test_links_expire(post_email, post, bob, alice, mailoutbox, purpose, hours):
    if purpose == "reset":
        post("password/reset", email="alice@example.org")
    elif purpose == "change":
        post_email(bob, "change", email="new@example.org", current_password=PASSWORD)
    else:
        post_email(bob, "verify")
    token, row = token_in(mailoutbox[0]), EmailToken.objects.get()
    left = row.expires_at - timezone.now()
    assert datetime.timedelta(hours=hours - 0.1) < left <= datetime.timedelta(hours=hours)
    EmailToken.objects.update(expires_at=timezone.now() - datetime.timedelta(seconds=1))
    if purpose == "reset":
        response = post("password/reset/confirm", token=token, new_password=NEW)
    else:
        response = post("email/verify/confirm", token=token)
    assert is_invalid_token(response)


def test_token_is_valid_for_its_purpose_only(post_email, post, alice, bob, mailoutbox):
    post_email(bob, "verify")
    post("password/reset", email="alice@example.org")
    verify, reset = (token_in(message) for message in mailoutbox)
    assert is_invalid_token(post("password/reset/confirm", token=verify, new_password=NEW))
    assert is_invalid_token(post("email/verify/confirm", token=reset))
    # The failed attempts consume neither token.
    assert post("email/verify/confirm", token=verify).status_code == 204
    assert post("password/reset/confirm", token=reset, new_password=NEW).status_code == 204


@pytest.mark.parametrize("token", ["x", "é" * 50, "x" * 200, "' OR 1=1"])
def test_invalid_tokens(post, token):
    assert is_invalid_token(post("email/verify/confirm", token=token))
    assert is_invalid_token(post("password/reset/confirm", token=token, new_password=NEW))


def test_confirming_taken_address_is_409(post_email, post, bob, make_user, mailoutbox):
    post_email(bob, "verify")
    make_user("first", email="BOB@example.org", email_verified=True)
    response = post("email/verify/confirm", token=token_in(mailoutbox[0]))
    assert (response.status_code, response.json()["code"]) == (409, "email_taken")
    bob.refresh_from_db()
    assert not bob.email_verified


def test_first_user_to_confirm_gets_the_address(post_email, post, make_user, mailoutbox):
    for name in ("one", "two"):
        assert post_email(make_user(name, email="both@example.org"), "verify").status_code == 202
    first, second = (token_in(message) for message in mailoutbox)
    assert post("email/verify/confirm", token=second).status_code == 204
    assert post("email/verify/confirm", token=first).json()["code"] == "email_taken"
    assert User.objects.with_verified_email("both@example.org").get().username == "two"


# --- Change of address -----------------------------------------------------------------------------------------------


def test_email_change_applies_when_confirmed(post_email, post, alice, mailoutbox):
    assert post_email(alice, "change", email="New@example.org", current_password=PASSWORD).status_code == 202
    link, notice = mailoutbox
    assert (link.to, notice.to) == (["New@example.org"], ["alice@example.org"])
    assert "token" not in notice.body
    alice.refresh_from_db()
    assert alice.email == "alice@example.org"
    assert post("email/verify/confirm", token=token_in(link)).status_code == 204
    alice.refresh_from_db()
    assert (alice.email, alice.email_key, alice.email_verified) == ("New@example.org", "new@example.org", True)
    assert post("login", username="new@example.org", password=PASSWORD).status_code == 200
    assert post("login", username="alice@example.org", password=PASSWORD).status_code == 401


def test_email_change_requires_password(post_email, alice, mailoutbox):
    response = post_email(alice, "change", email="new@example.org", current_password="wrong")
    assert codes(response) == {"current_password": {"wrong_password"}}
    assert not mailoutbox
    assert codes(post_email(alice, "change", email="nobody", current_password=PASSWORD)) == {"email": {"invalid"}}


def test_email_change_does_not_reveal_accounts(post_email, alice, bob, mailoutbox):
    free = post_email(bob, "change", email="free@example.org", current_password=PASSWORD)
    taken = post_email(bob, "change", email="Alice@example.org", current_password=PASSWORD)
    assert (free.status_code, free.content) == (taken.status_code, taken.content) == (202, b"")
    assert [message.to for message in mailoutbox] == [["free@example.org"], ["alice@example.org"]]
    assert "token" not in mailoutbox[1].body


def test_links_to_a_former_address_are_invalid(post_email, post, alice, mailoutbox):
    post("password/reset", email="alice@example.org")
    post_email(alice, "change", email="new@example.org", current_password=PASSWORD)
    reset, change = token_in(mailoutbox[0]), token_in(mailoutbox[1])
    assert post("email/verify/confirm", token=change).status_code == 204
    assert is_invalid_token(post("password/reset/confirm", token=reset, new_password=NEW))


# --- Password reset --------------------------------------------------------------------------------------------------


def test_password_reset_revokes_all_sessions(post, alice, sign_in, mailoutbox):
    own = sign_in("alice")
    response = post("password/reset", email="ALICE@example.org")
    assert (response.status_code, response.content) == (202, b"")
    [message] = mailoutbox
    assert message.to == ["alice@example.org"]
    assert f"{settings.APP_URL}/password/reset?token=" in message.body
    token = token_in(message)
    assert is_accepted(own["access"])
    assert post("password/reset/confirm", token=token, new_password=NEW).status_code == 204
    assert not is_accepted(own["access"])
    assert post("refresh", refresh=own["refresh"]).status_code == 401
    assert post("login", username="alice", password=PASSWORD).status_code == 401
    assert sign_in("alice", NEW)
    assert is_invalid_token(post("password/reset/confirm", token=token, new_password=NEW))


def test_weak_password_does_not_consume_the_token(post, alice, mailoutbox):
    post("password/reset", email="alice@example.org")
    token = token_in(mailoutbox[0])
    for weak, code in (("short", "min_length"), ("password1", "password_too_common"), ("x" * 129, "max_length")):
        assert code in codes(post("password/reset/confirm", token=token, new_password=weak))["new_password"]
    response = post("password/reset/confirm", token=token, new_password="alice@example.org")
    assert codes(response) == {"new_password": {"password_too_similar"}}
    assert post("password/reset/confirm", token=token, new_password=NEW).status_code == 204


def test_password_reset_does_not_reveal_accounts(post, alice, bob, make_user, mailoutbox):
    make_user("gone", email="gone@example.org", email_verified=True, is_active=False)
    responses = [post("password/reset", email=f"{name}@example.org") for name in ("alice", "bob", "nobody", "gone")]
    assert {(response.status_code, response.content) for response in responses} == {(202, b"")}
    assert [message.to for message in mailoutbox] == [["alice@example.org"]]
    assert codes(post("password/reset", email="nobody")) == {"email": {"invalid"}}


def test_queries_do_not_depend_on_the_address(post, client_of, alice, bob, run_tasks, django_assert_num_queries):
    """A task looks up the address, so that the response time does not reveal accounts."""
    for email in ("alice@example.org", "nobody@example.org"):
        with django_assert_num_queries(1):  # the task
            assert post("password/reset", email=email).status_code == 202
    counts, client = [], client_of(bob)
    for email in ("alice@example.org", "nobody@example.org"):
        with CaptureQueriesContext(connection) as queries:
            response = client.post(f"{V1}auth/email/change/", {"email": email, "current_password": PASSWORD})
            assert response.status_code == 202
        counts.append(len(queries))
        with CaptureQueriesContext(connection) as queries:
            assert post("register", username=f"x{email[:5]}", password=NEW, email=email).status_code == 201
        counts.append(len(queries))
    assert counts[:2] == counts[2:]


def test_tasks_contain_no_readable_addresses_or_tokens(post, post_email, bob, alice, run_tasks, mailoutbox):
    post("password/reset", email="alice@example.org")
    post_email(bob, "change", email="new@example.org", current_password=PASSWORD)
    before = str(list(QueuedTask.objects.values()))
    run_tasks()
    tokens = [token_in(message) for message in mailoutbox if "?token=" in message.body]
    assert len(tokens) == 2
    for rows in (before, str(list(QueuedTask.objects.values()))):
        assert not [word for word in (*tokens, "example.org") if word in rows]


def test_link_to_a_deactivated_account_is_invalid(post, alice, mailoutbox):
    post("password/reset", email="alice@example.org")
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert is_invalid_token(post("password/reset/confirm", token=token_in(mailoutbox[0]), new_password=NEW))


def test_password_reset_is_throttled_per_address(post, alice, rate, mailoutbox):
    rate("login", 2)
    statuses = [post("password/reset", email="alice@example.org").status_code for _ in range(3)]
    assert statuses == [202, 202, 429]
    assert len(mailoutbox) == 2
    assert post("password/reset", email="bob@example.org").status_code == 202
    # The username has a limit of its own, so that Alice is not locked out.
    assert post("login", username="alice@example.org", password=PASSWORD).status_code == 429
    assert post("login", username="alice", password=PASSWORD).status_code == 200


# --- E-mails ---------------------------------------------------------------------------------------------------------


def test_email_is_sent_only_after_commit(alice, mailoutbox, run_tasks):
    with transaction.atomic():
        emails.send_account_email(alice, "reset", to=alice.email, token="x")
        transaction.set_rollback(True)
    run_tasks()
    assert not mailoutbox
    emails.send_account_email(alice, "reset", to=alice.email, token="x")
    assert not mailoutbox
    run_tasks()
    assert len(mailoutbox) == 1
    run_tasks()
    assert len(mailoutbox) == 1


def test_email_is_in_the_users_language(post_email, make_user, monkeypatch):
    languages = []
    render = api_mail.render_to_string
    monkeypatch.setattr(
        api_mail, "render_to_string", lambda *args: languages.append(translation.get_language()) or render(*args)
    )
    post_email(make_user("ana", email="ana@example.org", language="pt-BR"), "verify")
    post_email(make_user("ann", email="ann@example.org", language="en"), "verify")
    # The text and the HTML part of each e-mail.
    assert [tag.lower() for tag in languages] == ["pt-br", "pt-br", "en", "en"]


def test_display_name_is_not_interpreted(post_email, make_user, mailoutbox):
    user = make_user("eve", email="eve@example.org", display_name="<b>Eve & {{ token }}</b>")
    post_email(user, "verify")
    assert "Hello <b>Eve & {{ token }}</b>," in mailoutbox[0].body
    assert "\n" not in mailoutbox[0].subject


class DeadServer(BaseEmailBackend):
    error: type[Exception] = ConnectionRefusedError

    def send_messages(self, messages):
        raise self.error(f"no route to {messages[0].to}")


@pytest.mark.parametrize("error", [ConnectionRefusedError, TimeoutError, OSError, SMTPServerDisconnected, RuntimeError])
def test_mail_server_failure_loses_no_email(
    post, post_email, alice, bob, settings, monkeypatch, error, caplog, run_tasks, mailoutbox
):
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = f"{__name__}.DeadServer"
    monkeypatch.setattr(DeadServer, "error", error)
    assert post("register", username="dora", password=NEW, email="dora@example.org").status_code == 201
    assert post("password/reset", email="alice@example.org").status_code == 202
    assert post_email(bob, "verify").status_code == 202
    assert post_email(bob, "change", email="new@example.org", current_password=PASSWORD).status_code == 202
    run_tasks()
    assert caplog.messages.count("task core.mail.send_email failed") == 4
    assert "example.org" not in "".join(caplog.messages) + str(list(QueuedTask.objects.values()))
    settings.EMAIL_BACKEND = backend
    api_mail.breaker.reset()
    QueuedTask.objects.filter(status="READY").update(run_after=timezone.now())
    run_tasks()
    sent = sorted(message.to[0] for message in mailoutbox)
    assert sent == ["alice@example.org", "bob@example.org", "dora@example.org", "new@example.org"]


def test_circuit_breaker_stops_further_attempts(alice, settings, monkeypatch, run_tasks):
    attempts = []
    settings.EMAIL_BACKEND = f"{__name__}.DeadServer"
    send = DeadServer.send_messages
    monkeypatch.setattr(DeadServer, "send_messages", lambda *args: attempts.append(1) or send(*args))
    for _mail in range(5):
        emails.send_account_email(alice, "reset", to=alice.email, token="x")
    run_tasks()
    assert len(attempts) == 1
    assert QueuedTask.objects.filter(status="READY", attempts=1).count() == 5


def test_retries_have_the_same_message_id(alice, run_tasks, mailoutbox):
    emails.send_account_email(alice, "reset", to=alice.email, token="x")
    for _time in range(2):
        QueuedTask.objects.update(status="READY", run_after=timezone.now())
        run_tasks()
    first, second = (message.message()["Message-ID"] for message in mailoutbox)
    assert first == second


def test_tokens_are_hashed_and_not_logged(post, post_email, alice, bob, sign_in, mailoutbox, caplog):
    caplog.set_level(logging.DEBUG)
    log = Path(settings.LOG_DIR)
    before = {path: path.stat().st_size for path in log.glob("*.log")}
    own = sign_in("alice")
    post_email(bob, "verify")
    post("password/reset", email="alice@example.org")
    tokens = [token_in(message) for message in mailoutbox]
    post("refresh", refresh=own["refresh"])
    post("verify", token=own["access"])
    post("password/reset/confirm", token=tokens[1], new_password="short")
    post("email/verify/confirm", token=tokens[0] + "x")
    for row in EmailToken.objects.all():
        assert not any(token in str(vars(row)) for token in tokens)
    written = "".join(path.read_text()[before.get(path, 0) :] for path in log.glob("*.log"))
    assert '"path": "/api/v1/auth/password/reset/confirm/"' in written
    json.loads(written.splitlines()[-1])
    logged = "".join(str(vars(record)) for record in caplog.records if not record.name.startswith("django.db"))
    for secret in (*tokens, own["access"], own["refresh"], own["access"].split(".")[2], PASSWORD, "short"):
        assert secret not in written
        assert secret not in logged


def test_expired_tokens_are_deleted(post, alice, post_email, bob, capsys):
    post("password/reset", email="alice@example.org")
    post_email(bob, "verify")
    EmailToken.objects.filter(purpose="reset").update(expires_at=timezone.now())
    call_command("prune_expired")
    assert "e-mail tokens: 1 deleted" in capsys.readouterr().out
    assert EmailToken.objects.get().purpose == "verify"


# --- Headers ---------------------------------------------------------------------------------------------------------


def test_every_email_is_marked_as_automatic(post, alice, post_email, mailoutbox):
    post("register", username="dora", password=NEW, email="dora@example.org")
    post("register", username="emma", password=NEW, email=alice.email)
    post("password/reset", email=alice.email)
    post_email(alice, "change", email="new@example.org", current_password=PASSWORD)
    post_email(alice, "verify")
    assert len(mailoutbox) >= 5
    for message in mailoutbox:
        assert message.message().get_all("Auto-Submitted") == ["auto-generated"]
