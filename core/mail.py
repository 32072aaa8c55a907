"""E-mails are sent by tasks, enqueued in the transaction of the change they are about.

An e-mail is sent first and recorded as sent then. If a worker is killed in between, it is sent again: a password reset
may arrive twice but must not be lost. Each attempt has the same Message-ID, so that mail programs recognize a copy.
"""

from __future__ import annotations

import json
import re
import smtplib
from email.utils import parseaddr
from hashlib import sha256
from typing import Any, NamedTuple

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.html import escape
from django.utils.safestring import mark_safe

from core.encryption import decrypt, encrypt
from core.redis import CircuitBreaker
from core.search.normalize import ascii_address
from core.tasks.decorators import task

ENCRYPTION_PURPOSE = "mail"
# While the server is unavailable, only one task waits for the timeout, because other tasks share the queue.
breaker = CircuitBreaker(seconds=30.0)


class QueuedEmail(NamedTuple):
    """A rendered e-mail. `id` is the same in each attempt."""

    id: str
    to: str
    subject: str
    body: str
    html: str = ""
    headers: dict[str, str] = {}

    @classmethod
    def from_template(
        cls,
        id: str,
        *,
        to: str,
        template: str,
        language: str,
        headers: dict[str, str] | None = None,
        **context: Any,
    ) -> QueuedEmail:
        """Render an e-mail, its HTML part too, from a template of the text whose first line is the subject."""
        with translation.override(language):
            text = render_to_string(template, {"app": settings.APP_URL, **context})
            subject, body = (part.strip() for part in text.strip().split("\n", 1))
            values = {"subject": subject, "body": _with_links(body), "language": language}
            html = render_to_string("core/mail/base.html", values)
        return cls(id, to, subject, f"{body}\n", html, headers or {})


class MailServerUnavailableError(Exception):
    """The mail server is unavailable. It has no message, because the server's may contain an e-mail address."""


class RecipientRejectedError(Exception):
    """The server has rejected this e-mail permanently (5xx)."""


class UnknownKeyError(Exception):
    """The e-mail was encrypted with a key that is not in SECRET_KEY or SECRET_KEY_FALLBACKS."""


class DeliveryDeferredError(Exception):
    """The server has deferred this e-mail (4xx); it may accept others now."""


def send_later(mail: QueuedEmail) -> None:
    """Send an e-mail once the transaction is committed. It is encrypted in the queue, since it may contain a token."""
    send_email.enqueue(encrypted=encrypt(json.dumps(mail), purpose=ENCRYPTION_PURPOSE))


@task(atomic=False)
def send_email(*, encrypted: str) -> None:
    """Send an e-mail. Raises UnknownKeyError for one of a server whose SECRET_KEY this worker does not know."""
    text = decrypt(encrypted, purpose=ENCRYPTION_PURPOSE)
    if text is None:
        raise UnknownKeyError
    with SMTPSession() as session:
        session.send(QueuedEmail(*json.loads(text)))


class SMTPSession:
    """One connection to the mail server for several e-mails.

    Raises MailServerUnavailableError; after that, no connection is attempted for 30 seconds.
    """

    def __enter__(self) -> SMTPSession:
        if not breaker.allow_call():
            raise MailServerUnavailableError
        self.connection = get_connection()
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self.connection.close()
        except OSError:
            return

    def send(self, mail: QueuedEmail) -> None:
        """Send an e-mail.

        Raises RecipientRejectedError or DeliveryDeferredError if the server does not accept this one.
        """
        try:
            self.connection.send_messages([_message(mail)])
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _text in error.recipients.values()]
            raise (RecipientRejectedError if min(codes, default=0) >= 500 else DeliveryDeferredError) from None
        except smtplib.SMTPDataError as error:
            raise (RecipientRejectedError if error.smtp_code >= 500 else DeliveryDeferredError) from None
        except (OSError, smtplib.SMTPException):
            breaker.trip()
            raise MailServerUnavailableError from None
        breaker.reset()


def _with_links(text: str) -> str:
    """Return the text as HTML, with links to this app only: what users have written contains none."""
    app = re.escape(escape(settings.APP_URL))
    return mark_safe(re.sub(rf"(?m)^{app}\S*$", r'<a href="\g<0>">\g<0></a>', escape(text)))  # noqa: S308  escaped


def _message(mail: QueuedEmail) -> EmailMultiAlternatives:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    name = sha256(mail.id.encode()).hexdigest()[:32]
    subject = " ".join(mail.subject.split())
    # RFC 3834: out-of-office replies are not sent to automatic mail.
    headers = {"Message-ID": f"<{name}@{domain}>", "Auto-Submitted": "auto-generated", **mail.headers}
    # Django would encode the domain by IDNA 2003, in which some domains are others.
    message = EmailMultiAlternatives(subject, mail.body, None, [ascii_address(mail.to)], headers=headers)
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    return message
