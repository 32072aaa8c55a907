"""Notifications as e-mails."""

import logging

from accounts.models import User
from activity.models import Notification
from bookbridge.api.mail import Mail, Postman, RefusedError

logger = logging.getLogger("bookbridge.mail")


def send_notification(row: Notification, postman: Postman) -> None:
    """Send a notification, if its user may still see it and has an address; one that is rejected is not sent again.

    Raises DeferredError, MailServerAwayError.
    """
    mail = _written(row)
    try:
        if mail:
            postman.send(mail)
    except RefusedError:
        logger.warning("the mail server rejected notification %s", row.pk)


def _written(row: Notification) -> Mail | None:
    """Return the e-mail in the user's language, or None if it must not be sent any more."""
    user = User.objects.filter(pk=row.user_id, is_active=True, email_verified=True).exclude(email="").first()
    told = user and Notification.objects.visible_to(user).for_answer(user).filter(pk=row.pk).first()
    if not user or not told:
        return None
    return Mail.written(
        f"notification {row.pk}",
        to=user.email,
        template="activity/mail/notification.txt",
        language=user.language,
        user=user,
        told=told,
    )
