"""Notifications as e-mails."""

import logging

from django.conf import settings

from accounts.models import User
from activity.dates import reader_zone
from activity.models import Notification
from activity.unsubscribe import unsubscribe_headers
from core.mail import QueuedEmail, RecipientRejectedError, SMTPSession
from core.registry import email_exclusions, email_texts

# The pages of objects below that of their club.
PATHS = {"ballot": "ballots", "entry": "books", "meeting": "meetings", "post": "posts", "thread": "threads"}

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
    text = email_texts.get(notification.kind)
    with reader_zone(user.timezone):
        return QueuedEmail.from_template(
            f"notification {row.pk}",
            to=user.email,
            template="activity/mail/notification.txt",
            language=user.language,
            headers=unsubscribe_headers(user, notification.kind),
            user=user,
            notification=notification,
            text=text(notification.object_id) if text else "",
            link=settings.APP_URL + _path(notification),
        )


def _path(notification: Notification) -> str:
    """Return the path of the page of the object, or of its club."""
    if notification.club is None:
        return ""
    club, path = f"/clubs/{notification.club.pk}", PATHS.get(notification.object_type)
    return f"{club}/{path}/{notification.object_id}" if path else club
