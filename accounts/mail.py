"""Mails about an account: written in the reader's language, sent by a job after the commit.

A slow or dead mail server must neither fail a request nor tell, by the time it takes, whether an address is known.
"""

import secrets
from typing import Any

from accounts.models import User
from bookbridge.api.mail import Mail, post


def mail(user: User, template: str, *, to: str, **context: Any) -> None:
    """Send `accounts/mail/<template>.txt` (its first line is the subject) once the transaction is committed."""
    template = f"accounts/mail/{template}.txt"
    post(Mail.written(secrets.token_hex(16), to=to, template=template, language=user.language, user=user, **context))
