"""What goes through a link in a mail: showing and changing an address, setting a forgotten password."""

import datetime
import json
import logging
from pathlib import Path
from smtplib import SMTPServerDisconnected

import pytest
from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from accounts import mail
from accounts.models import MailToken, User
from bookbridge.api import mail as api_mail
from bookbridge.api.tasks.models import QueuedTask
from bookbridge.api.tasks.worker import run_pending
from tests.accounts.conftest import V1, codes, is_accepted, token_in
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("mails_at_call")]

NEW = "a new horse battery"


@pytest.fixture
def bob(make_user):
    return make_user("bob", email="bob@example.org")


@pytest.fixture
def queued(mails_at_call, settings):
    """Leave tasks in the queue after all; a call runs them."""
    settings.TASKS = {"default": {"BACKEND": "bookbridge.api.tasks.backend.DatabaseBackend"}}
    return run_pending


@pytest.fixture
def asked(client_of):
    """A call of `auth/email/...` by a reader."""

    def call(user, route, **body):
        return client_of(user).post(f"{V1}auth/email/{route}/", body)

    return call


def is_invalid_token(answer):
    return (answer.status_code, answer.json().get("code")) == (400, "invalid_token")


# --- Showing that an address is one's own ----------------------------------------------------------------------------


def test_the_link_of_the_registration_verifies(post, mailoutbox):
    post("register", username="dora", password=NEW, email="Dora@Example.org")
    [message] = mailoutbox
    assert message.to == ["Dora@Example.org"]
    assert f"{settings.APP_URL}/email/confirm?token=" in message.body
    token = token_in(message)
    assert len(token) >= 22  # 128 bits at least
    assert post("login", username="dora@example.org", password=NEW).status_code == 401
    answer = post("email/verify/confirm", token=token)
    assert (answer.status_code, answer.content) == (204, b"")
    assert post("login", username="dora@example.org", password=NEW).json()["user"]["email_verified"] is True
    # Once.
    assert is_invalid_token(post("email/verify/confirm", token=token))


def test_only_the_newest_link_serves(asked, post, bob, mailoutbox):
    for _ in range(2):
        assert asked(bob, "verify").status_code == 202
    older, newer = (token_in(message) for message in mailoutbox)
    assert is_invalid_token(post("email/verify/confirm", token=older))
    assert post("email/verify/confirm", token=newer).status_code == 204


def test_there_may_be_nothing_to_verify(asked, alice, charlie):
    for user in (alice, charlie):  # verified already; no address
        answer = asked(user, "verify")
        assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_verify")


@pytest.mark.parametrize(("purpose", "hours"), [("verify", 72), ("change", 24), ("reset", 1)])
def test_a_link_serves_for_a_time(asked, post, bob, alice, mailoutbox, purpose, hours):
    if purpose == "reset":
        post("password/reset", email="alice@example.org")
    elif purpose == "change":
        asked(bob, "change", email="new@example.org", current_password=PASSWORD)
    else:
        asked(bob, "verify")
    token, row = token_in(mailoutbox[0]), MailToken.objects.get()
    left = row.expires_at - timezone.now()
    assert datetime.timedelta(hours=hours - 0.1) < left <= datetime.timedelta(hours=hours)
    MailToken.objects.update(expires_at=timezone.now() - datetime.timedelta(seconds=1))
    if purpose == "reset":
        answer = post("password/reset/confirm", token=token, new_password=NEW)
    else:
        answer = post("email/verify/confirm", token=token)
    assert is_invalid_token(answer)


def test_a_link_of_one_kind_is_none_of_the_other(asked, post, alice, bob, mailoutbox):
    asked(bob, "verify")
    post("password/reset", email="alice@example.org")
    verify, reset = (token_in(message) for message in mailoutbox)
    assert is_invalid_token(post("password/reset/confirm", token=verify, new_password=NEW))
    assert is_invalid_token(post("email/verify/confirm", token=reset))
    # Trying has used up neither.
    assert post("email/verify/confirm", token=verify).status_code == 204
    assert post("password/reset/confirm", token=reset, new_password=NEW).status_code == 204


@pytest.mark.parametrize("token", ["x", "é" * 50, "x" * 200, "' OR 1=1"])
def test_what_is_no_token(post, token):
    assert is_invalid_token(post("email/verify/confirm", token=token))
    assert is_invalid_token(post("password/reset/confirm", token=token, new_password=NEW))


def test_the_address_may_be_taken_meanwhile(asked, post, bob, make_user, mailoutbox):
    asked(bob, "verify")
    make_user("first", email="BOB@example.org", email_verified=True)
    answer = post("email/verify/confirm", token=token_in(mailoutbox[0]))
    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
    bob.refresh_from_db()
    assert not bob.email_verified


def test_several_may_claim_and_the_first_to_confirm_has_it(asked, post, make_user, mailoutbox):
    for name in ("one", "two"):
        assert asked(make_user(name, email="both@example.org"), "verify").status_code == 202
    first, second = (token_in(message) for message in mailoutbox)
    assert post("email/verify/confirm", token=second).status_code == 204
    assert post("email/verify/confirm", token=first).json()["code"] == "email_taken"
    assert User.objects.with_verified_email("both@example.org").get().username == "two"


# --- Another address -------------------------------------------------------------------------------------------------


def test_a_change_takes_effect_when_it_is_confirmed_and_the_old_address_is_told(asked, post, alice, mailoutbox):
    assert asked(alice, "change", email="New@example.org", current_password=PASSWORD).status_code == 202
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


def test_a_change_needs_the_password(asked, alice, mailoutbox):
    answer = asked(alice, "change", email="new@example.org", current_password="wrong")
    assert codes(answer) == {"current_password": {"wrong_password"}}
    assert not mailoutbox
    assert codes(asked(alice, "change", email="nobody", current_password=PASSWORD)) == {"email": {"invalid"}}


def test_a_change_to_somebodys_address_answers_the_same(asked, alice, bob, mailoutbox):
    free = asked(bob, "change", email="free@example.org", current_password=PASSWORD)
    taken = asked(bob, "change", email="Alice@example.org", current_password=PASSWORD)
    assert (free.status_code, free.content) == (taken.status_code, taken.content) == (202, b"")
    assert [message.to for message in mailoutbox] == [["free@example.org"], ["alice@example.org"]]
    assert "token" not in mailoutbox[1].body


def test_links_to_an_address_that_was_given_up_are_void(asked, post, alice, mailoutbox):
    post("password/reset", email="alice@example.org")
    asked(alice, "change", email="new@example.org", current_password=PASSWORD)
    reset, change = token_in(mailoutbox[0]), token_in(mailoutbox[1])
    assert post("email/verify/confirm", token=change).status_code == 204
    assert is_invalid_token(post("password/reset/confirm", token=reset, new_password=NEW))


# --- A forgotten password --------------------------------------------------------------------------------------------


def test_a_reset_ends_every_sign_in(post, alice, sign_in, mailoutbox):
    own = sign_in("alice")
    answer = post("password/reset", email="ALICE@example.org")
    assert (answer.status_code, answer.content) == (202, b"")
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


def test_a_weak_password_does_not_use_the_link_up(post, alice, mailoutbox):
    post("password/reset", email="alice@example.org")
    token = token_in(mailoutbox[0])
    for weak, code in (("short", "min_length"), ("password1", "password_too_common"), ("x" * 129, "max_length")):
        assert code in codes(post("password/reset/confirm", token=token, new_password=weak))["new_password"]
    answer = post("password/reset/confirm", token=token, new_password="alice@example.org")
    assert codes(answer) == {"new_password": {"password_too_similar"}}
    assert post("password/reset/confirm", token=token, new_password=NEW).status_code == 204


def test_the_answer_is_the_same_for_known_claimed_unknown_and_closed(post, alice, bob, make_user, mailoutbox):
    make_user("gone", email="gone@example.org", email_verified=True, is_active=False)
    answers = [post("password/reset", email=f"{name}@example.org") for name in ("alice", "bob", "nobody", "gone")]
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, b"")}
    assert [message.to for message in mailoutbox] == [["alice@example.org"]]
    assert codes(post("password/reset", email="nobody")) == {"email": {"invalid"}}


def test_the_answer_waits_for_nothing_that_tells(post, client_of, alice, bob, queued, django_assert_num_queries):
    """Who has an address is looked up by a job, so that the answer's time does not tell it either."""
    for email in ("alice@example.org", "nobody@example.org"):
        with django_assert_num_queries(3):  # the job, in a savepoint
            assert post("password/reset", email=email).status_code == 202
    counts, client = [], client_of(bob)
    for email in ("alice@example.org", "nobody@example.org"):
        with CaptureQueriesContext(connection) as queries:
            answer = client.post(f"{V1}auth/email/change/", {"email": email, "current_password": PASSWORD})
            assert answer.status_code == 202
        counts.append(len(queries))
        with CaptureQueriesContext(connection) as queries:
            assert post("register", username=f"x{email[:5]}", password=NEW, email=email).status_code == 201
        counts.append(len(queries))
    assert counts[:2] == counts[2:]


def test_neither_addresses_nor_tokens_can_be_read_in_the_jobs(post, asked, bob, alice, queued, mailoutbox):
    post("password/reset", email="alice@example.org")
    asked(bob, "change", email="new@example.org", current_password=PASSWORD)
    before = str(list(QueuedTask.objects.values()))
    queued()
    tokens = [token_in(message) for message in mailoutbox if "?token=" in message.body]
    assert len(tokens) == 2
    for kept in (before, str(list(QueuedTask.objects.values()))):
        assert not [word for word in (*tokens, "example.org") if word in kept]


def test_a_link_to_a_closed_account_is_void(post, alice, mailoutbox):
    post("password/reset", email="alice@example.org")
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert is_invalid_token(post("password/reset/confirm", token=token_in(mailoutbox[0]), new_password=NEW))


def test_the_rate_is_for_address_and_account(post, alice, rate, mailoutbox):
    rate("login", 2)
    statuses = [post("password/reset", email="alice@example.org").status_code for _ in range(3)]
    assert statuses == [202, 202, 429]
    assert len(mailoutbox) == 2
    assert post("password/reset", email="bob@example.org").status_code == 202
    # Asking for mails does not shut her out.
    assert post("login", username="alice@example.org", password=PASSWORD).status_code == 429
    assert post("login", username="alice", password=PASSWORD).status_code == 200


# --- The mails themselves --------------------------------------------------------------------------------------------


def test_a_mail_leaves_after_the_commit_and_not_without_one(alice, mailoutbox, queued):
    with transaction.atomic():
        mail.mail(alice, "reset", to=alice.email, token="x")
        transaction.set_rollback(True)
    queued()
    assert not mailoutbox
    mail.mail(alice, "reset", to=alice.email, token="x")
    assert not mailoutbox
    queued()
    assert len(mailoutbox) == 1
    queued()
    assert len(mailoutbox) == 1


def test_a_mail_is_written_in_the_readers_language(asked, make_user, monkeypatch):
    languages = []
    render = api_mail.render_to_string
    monkeypatch.setattr(
        api_mail, "render_to_string", lambda *args: languages.append(translation.get_language()) or render(*args)
    )
    asked(make_user("ana", email="ana@example.org", language="pt-BR"), "verify")
    asked(make_user("ann", email="ann@example.org", language="en"), "verify")
    assert [tag.lower() for tag in languages] == ["pt-br", "en"]


def test_a_name_cannot_break_out_of_its_place(asked, make_user, mailoutbox):
    user = make_user("eve", email="eve@example.org", display_name="<b>Eve & {{ token }}</b>")
    asked(user, "verify")
    assert "Hello <b>Eve & {{ token }}</b>," in mailoutbox[0].body
    assert "\n" not in mailoutbox[0].subject


class DeadServer(BaseEmailBackend):
    error: type[Exception] = ConnectionRefusedError

    def send_messages(self, messages):
        raise self.error(f"no route to {messages[0].to}")


@pytest.mark.parametrize("error", [ConnectionRefusedError, TimeoutError, OSError, SMTPServerDisconnected, RuntimeError])
def test_a_dead_mail_server_changes_no_answer_and_loses_no_mail(
    post, asked, alice, bob, settings, monkeypatch, error, caplog, queued, mailoutbox
):
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = f"{__name__}.DeadServer"
    monkeypatch.setattr(DeadServer, "error", error)
    assert post("register", username="dora", password=NEW, email="dora@example.org").status_code == 201
    assert post("password/reset", email="alice@example.org").status_code == 202
    assert asked(bob, "verify").status_code == 202
    assert asked(bob, "change", email="new@example.org", current_password=PASSWORD).status_code == 202
    queued()
    assert caplog.messages.count("task bookbridge.api.mail.send_email failed") == 4
    assert "example.org" not in "".join(caplog.messages) + str(list(QueuedTask.objects.values()))
    settings.EMAIL_BACKEND = backend
    api_mail.breaker.reset()
    QueuedTask.objects.filter(status="READY").update(run_after=timezone.now())
    queued()
    sent = sorted(message.to[0] for message in mailoutbox)
    assert sent == ["alice@example.org", "bob@example.org", "dora@example.org", "new@example.org"]


def test_a_dead_mail_server_costs_its_time_once(alice, settings, monkeypatch, queued):
    tries = []
    settings.EMAIL_BACKEND = f"{__name__}.DeadServer"
    send = DeadServer.send_messages
    monkeypatch.setattr(DeadServer, "send_messages", lambda *args: tries.append(1) or send(*args))
    for _mail in range(5):
        mail.mail(alice, "reset", to=alice.email, token="x")
    queued()
    assert len(tries) == 1
    assert QueuedTask.objects.filter(status="READY", attempts=1).count() == 5


def test_each_try_has_the_same_message_id(alice, queued, mailoutbox):
    mail.mail(alice, "reset", to=alice.email, token="x")
    for _time in range(2):
        QueuedTask.objects.update(status="READY", run_after=timezone.now())
        queued()
    first, second = (message.message()["Message-ID"] for message in mailoutbox)
    assert first == second


def test_tokens_are_kept_hashed_and_stand_in_no_log(post, asked, alice, bob, sign_in, mailoutbox, caplog):
    caplog.set_level(logging.DEBUG)
    log = Path(settings.LOG_DIR)
    before = {path: path.stat().st_size for path in log.glob("*.log")}
    own = sign_in("alice")
    asked(bob, "verify")
    post("password/reset", email="alice@example.org")
    tokens = [token_in(message) for message in mailoutbox]
    post("refresh", refresh=own["refresh"])
    post("verify", token=own["access"])
    post("password/reset/confirm", token=tokens[1], new_password="short")
    post("email/verify/confirm", token=tokens[0] + "x")
    for row in MailToken.objects.all():
        assert not any(token in str(vars(row)) for token in tokens)
    written = "".join(path.read_text()[before.get(path, 0) :] for path in log.glob("*.log"))
    assert '"path": "/api/v1/auth/password/reset/confirm/"' in written
    json.loads(written.splitlines()[-1])
    spoken = "".join(str(vars(record)) for record in caplog.records if not record.name.startswith("django.db"))
    for secret in (*tokens, own["access"], own["refresh"], own["access"].split(".")[2], PASSWORD, "short"):
        assert secret not in written
        assert secret not in spoken


def test_what_ran_out_is_cleared(post, alice, asked, bob, capsys):
    from django.core.management import call_command

    post("password/reset", email="alice@example.org")
    asked(bob, "verify")
    MailToken.objects.filter(purpose="reset").update(expires_at=timezone.now())
    call_command("clear_expired")
    assert "mailed tokens: 1 deleted" in capsys.readouterr().out
    assert MailToken.objects.get().purpose == "verify"
