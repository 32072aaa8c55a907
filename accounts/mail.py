"""Mails about an account: written in the reader's language, sent by a job after the commit.

A slow or dead mail server must neither fail a request nor tell, by the time it takes, whether an address is known.
"""

import secrets
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from accounts.models import User
from bookbridge.api.mail import Mail, post


def mail(user: User, template: str, *, to: str, **context: Any) -> None:
    """Send `accounts/mail/<template>.txt` (its first line is the subject) once the transaction is committed."""
    with translation.override(user.language):
        text = render_to_string(f"accounts/mail/{template}.txt", {"user": user, "app": settings.APP_URL} | context)
    subject, _newline, body = text.strip().partition("\n")
    post(Mail(secrets.token_hex(16), to, subject.strip(), body.strip() + "\n"))
