"""Mails about an account: written in the reader's language, sent after the commit, off the request's own time.

A slow or dead mail server must neither fail a request nor tell, by the time it takes, whether an address is known.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import close_old_connections, transaction
from django.template.loader import render_to_string
from django.utils import translation

from accounts.models import User

logger = logging.getLogger("bookbridge.mail")

outgoing = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail")


def mail(user: User, template: str, *, to: str, **context: Any) -> None:
    """Send `accounts/mail/<template>.txt` (its first line is the subject) once the transaction is committed."""
    with translation.override(user.language):
        text = render_to_string(f"accounts/mail/{template}.txt", {"user": user, "app": settings.APP_URL} | context)
    subject, _newline, body = text.strip().partition("\n")
    transaction.on_commit(lambda: later(_send, subject.strip(), body.strip() + "\n", to))


def later(work: Callable[..., None], *args: Any) -> None:
    """Do some work that ends in a mail once the answer is on its way, with a database connection of its own."""
    outgoing.submit(_work, work, *args)


def _work(work: Callable[..., None], *args: Any) -> None:
    close_old_connections()
    try:
        work(*args)
    except Exception as error:  # the thread's last stop: beyond it nobody would hear of it
        # The message could quote an address; it stays out of the log.
        logger.error("mail not sent: %s", type(error).__name__)
    finally:
        close_old_connections()


def _send(subject: str, body: str, to: str) -> None:
    send_mail(subject, body, None, [to])
