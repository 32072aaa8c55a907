"""A changed SECRET_KEY, with the former one in SECRET_KEY_FALLBACKS."""

import re

import pytest
from django.conf import settings
from django.core import mail as outbox
from django.db import OperationalError, connection

from accounts.two_factor.models import ENCRYPTION_PURPOSE, TOTPDevice, new_secret
from core.encryption import decrypt, encrypt, has_former_key
from core.mail import QueuedEmail, send_later
from core.tasks.models import QueuedTask, TaskStatus
from core.tasks.worker import run_pending
from tests.staff import totp_code

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.views_for_tests")]


@pytest.fixture
def rotate(monkeypatch):
    """Change SECRET_KEY."""

    def change(*, keep_former: bool) -> None:
        monkeypatch.setattr(settings, "SECRET_KEY_FALLBACKS", [settings.SECRET_KEY] if keep_former else [])
        monkeypatch.setattr(settings, "SECRET_KEY", "the next key: " + "y" * 40)

    return change


def test_text_with_a_former_key_is_decrypted(rotate):
    text = encrypt("secret", purpose="x")
    rotate(keep_former=True)
    assert decrypt(text, purpose="x") == "secret"
    assert has_former_key(text, purpose="x")
    assert not has_former_key(encrypt("secret", purpose="x"), purpose="x")


def test_text_with_an_unknown_key_is_reported(rotate, caplog):
    text = encrypt("secret", purpose="x")
    rotate(keep_former=False)
    assert decrypt(text, purpose="x") is None
    assert "SECRET_KEY_FALLBACKS" in caplog.text
    assert "secret" not in caplog.text


def test_staff_sign_in_after_a_rotation_and_their_secret_is_renewed(rotate, staff):
    secret = new_secret()
    device, _codes = TOTPDevice.objects.enroll(staff, secret=secret, step=0)
    rotate(keep_former=True)
    assert device.verify_token(totp_code(secret))
    device.refresh_from_db()
    assert not has_former_key(device.secret, purpose=ENCRYPTION_PURPOSE)


def test_mail_with_an_unknown_key_is_tried_again(rotate):
    """Of a server that was restarted with the new key before this worker."""
    send_later(QueuedEmail("1", "alice@example.org", "Hello", "Text"))
    rotate(keep_former=False)
    run_pending()
    [task] = QueuedTask.objects.all()
    assert (task.status, task.error) == (TaskStatus.READY, "UnknownKeyError")
    assert outbox.outbox == []


def test_waiting_mail_is_sent_after_a_rotation(rotate):
    send_later(QueuedEmail("1", "alice@example.org", "Hello", "Text"))
    rotate(keep_former=True)
    run_pending()
    assert [mail.subject for mail in outbox.outbox] == ["Hello"]


def test_retry_is_replayed_after_a_rotation(rotate, client_of, alice):
    client, body = client_of(alice), {"sleep": 0}
    first = client.post("/api/v1/probe/once/", body, HTTP_IDEMPOTENCY_KEY="k")
    rotate(keep_former=True)
    again = client.post("/api/v1/probe/once/", body, HTTP_IDEMPOTENCY_KEY="k")
    assert (again.status_code, again.content) == (201, first.content)
    other = client.post("/api/v1/probe/once/", {"sleep": 0, "other": 1}, HTTP_IDEMPOTENCY_KEY="k")
    assert other.status_code == 422


@pytest.mark.skipif("connection.vendor != 'mysql'", reason="SQLite has no network")
def test_required_tls_is_used_or_refused():
    other = connection.copy()
    other.settings_dict["OPTIONS"] = {**other.settings_dict["OPTIONS"], "ssl_mode": "REQUIRED"}
    try:
        with other.cursor() as cursor:
            cursor.execute("SHOW STATUS LIKE 'Ssl_cipher'")
            assert cursor.fetchone()[1]
    except OperationalError as error:  # the server has no TLS
        assert re.search("TLS|SSL", str(error))  # noqa: PT017
    finally:
        other.close()
