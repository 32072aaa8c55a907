"""E-mails about an account, in the user's language.

They are sent by a task, so that a slow mail server neither fails the request nor reveals by the response time whether
an address is known.
"""

import secrets
from typing import Any

from accounts.models import User
from core.mail import QueuedEmail, send_later


def send_account_email(user: User, template: str, *, to: str, **context: Any) -> None:
    """Send the template `accounts/mail/<template>.txt`, whose first line is the subject, after the commit."""
    template = f"accounts/mail/{template}.txt"
    send_later(
        QueuedEmail.from_template(
            secrets.token_hex(16), to=to, template=template, language=user.language, user=user, **context
        )
    )
