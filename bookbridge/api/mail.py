"""Mails leave through the job queue: asked for in the transaction of the change they tell of, sent after it.

A mail is sent first and noted as sent then. A worker that is killed in between has it sent again: a link that sets a
new password may come twice and must not stay away. Each try has the same Message-ID, by which mail programs know a copy
for what it is.
"""

from __future__ import annotations

import json
import smtplib
from email.utils import parseaddr
from hashlib import sha256
from typing import Any, NamedTuple

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string
from django.utils import translation

from bookbridge.api.jobs import enqueue, job
from bookbridge.api.redis import Breaker
from bookbridge.api.sealed import seal, unseal

PURPOSE = "mail"
# A dead server costs one job its time-out, and not each of those that wait: ballots close in the same line.
breaker = Breaker(seconds=30.0)


class Mail(NamedTuple):
    """A mail as it will be sent. `id` is the same at each try."""

    id: str
    to: str
    subject: str
    body: str

    @classmethod
    def written(cls, id: str, *, to: str, template: str, language: str, **context: Any) -> Mail:
        """A mail from a template, whose first line is the subject."""
        with translation.override(language):
            text = render_to_string(template, {"app": settings.APP_URL, **context})
        subject, _newline, body = text.strip().partition("\n")
        return cls(id, to, subject.strip(), body.strip() + "\n")


class MailServerAwayError(Exception):
    """Nothing can be sent for now. Carries no text: a server's own may quote an address."""


class RefusedError(Exception):
    """The server will never take this mail."""


class DeferredError(Exception):
    """The server wants this one later; others it may take now."""


def post(mail: Mail) -> None:
    """Have a mail sent once the transaction is committed. Whoever reads the jobs can neither read nor use it."""
    enqueue("mail.send", sealed=seal(json.dumps(mail), purpose=PURPOSE))


@job("mail.send", atomic=False)
def _send(*, sealed: str) -> None:
    text = unseal(sealed, purpose=PURPOSE)
    if text is not None:  # else SECRET_KEY is another by now, and its link would open nothing
        with Postman() as postman:
            postman.send(Mail(*json.loads(text)))


class Postman:
    """One connection to the mail server, for as many mails as there are.

    Raises MailServerAwayError; after it the server is left alone for half a minute.
    """

    def __enter__(self) -> Postman:
        if not breaker.admits():
            raise MailServerAwayError
        self.connection = get_connection()
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self.connection.close()
        except OSError:
            return

    def send(self, mail: Mail) -> None:
        """Send one. Raises RefusedError or DeferredError where the server takes others and not this."""
        try:
            self.connection.send_messages([_message(mail)])
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _text in error.recipients.values()]
            raise (RefusedError if min(codes, default=0) >= 500 else DeferredError) from None
        except smtplib.SMTPDataError as error:
            raise (RefusedError if error.smtp_code >= 500 else DeferredError) from None
        except (OSError, smtplib.SMTPException):
            breaker.trip()
            raise MailServerAwayError from None
        breaker.reset()


def _message(mail: Mail) -> EmailMessage:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    name = sha256(mail.id.encode()).hexdigest()[:32]
    subject = " ".join(mail.subject.split())
    return EmailMessage(subject, mail.body, None, [mail.to], headers={"Message-ID": f"<{name}@{domain}>"})
