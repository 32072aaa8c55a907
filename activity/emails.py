"""Notifications as e-mails."""

import logging

from accounts.models import User
from activity.models import Notification
from core.mail import QueuedEmail, RecipientRejectedError, SMTPSession
from core.registry import email_exclusions

logger = logging.getLogger("bookbridge.mail")


def send_notification(row: Notification, smtp: SMTPSession) -> None:
    """Send a notification if the user may still see it and has a verified address. A rejected e-mail is not sent again.

    Raises DeliveryDeferredError and MailServerUnavailableError.
    """
    email = _render(row)
    try:
        if email:
            smtp.send(email)
    except RecipientRejectedError:
        logger.warning("the mail server rejected notification %s", row.pk)


def _render(row: Notification) -> QueuedEmail | None:
    """Return the e-mail in the user's language, or None if it must not be sent any more."""
    user = User.objects.filter(pk=row.user_id, is_active=True, email_verified=True).exclude(email="").first()
    notification = user and Notification.objects.visible_to(user).for_serializer(user).filter(pk=row.pk).first()
    if not user or not notification or any(is_excluded(notification) for is_excluded in email_exclusions.values()):
        return None
    return QueuedEmail.from_template(
        f"notification {row.pk}",
        to=user.email,
        template="activity/mail/notification.txt",
        language=user.language,
        user=user,
        notification=notification,
    )
