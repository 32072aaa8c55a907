"""Notifications as e-mails: one by itself, or those that have waited in a digest together."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.conf import settings
from django.utils.translation import ngettext

from accounts.models import User
from activity.dates import format_moment, reader_zone
from activity.digests.models import EmailDigest, Topic
from activity.models import Notification
from activity.unsubscribe import unsubscribe_headers
from core.mail import QueuedEmail, RecipientRejectedError, SMTPSession
from core.registry import email_exclusions, email_texts
from core.search.normalize import to_single_line

# The pages of objects below that of their club.
PATHS = {
    "ballot": "ballots",
    "date_poll": "date-polls",
    "entry": "books",
    "meeting": "meetings",
    "post": "posts",
    "thread": "threads",
}
# Notifications that a digest describes; of the others it has the number.
MAX_IN_DIGEST = 30

logger = logging.getLogger("bookbridge.mail")


def send_notification(row: Notification, smtp: SMTPSession) -> None:
    """Send a notification if the user may still see it and has a verified address. A rejected e-mail is not sent again.

    Raises DeliveryDeferredError and MailServerUnavailableError.
    """
    user = _recipient(row.user_id)
    for notification in _sendable(user, pk=row.pk):
        _send(_render(notification, user), smtp)


def send_digest(digest: EmailDigest, smtp: SMTPSession) -> None:
    """Send what has waited as one e-mail, by the same rules. The digest must be claimed. Raises the same errors."""
    ids = list(Notification.objects.filter(email_batch=digest.batch).values_list("pk", flat=True))
    user = _recipient(digest.user_id)
    notifications = _sendable(user, pk__in=ids)
    if notifications:
        is_one = len(notifications) == 1
        _send(_render(notifications[0], user) if is_one else _render_digest(digest, notifications, user), smtp)
    digest.finish(ids, is_sent=bool(notifications))


def _send(email: QueuedEmail, smtp: SMTPSession) -> None:
    try:
        smtp.send(email)
    except RecipientRejectedError:
        logger.warning("the mail server rejected %s", email.id)


def _recipient(user_id: int) -> User:
    """Return the user, or one without an id if they cannot get e-mails any more."""
    users = User.objects.filter(pk=user_id, is_active=True, email_verified=True).exclude(email="")
    return users.first() or User()


def _sendable(user: User, **filters: object) -> list[Notification]:
    """Return those of the notifications that the user may still see, without those that must not be sent any more."""
    if user.pk is None:
        return []
    rows = Notification.objects.visible_to(user).for_serializer(user).filter(**filters).order_by("pk")
    return [row for row in rows if not any(is_excluded(row) for is_excluded in email_exclusions.values())]


def _render(notification: Notification, user: User) -> QueuedEmail:
    text = email_texts.get(notification.kind)
    with reader_zone(user.timezone):
        return QueuedEmail.from_template(
            f"notification {notification.pk}",
            to=user.email,
            template="activity/mail/notification.txt",
            language=user.language,
            headers=unsubscribe_headers(user, [notification.kind]),
            user=user,
            sender=_club_name(notification),
            notification=notification,
            text=lambda: text(notification.object_id) if text and notification.object_id else "",
            at=lambda: format_moment(notification.created_at, user.timezone),
            link=_link(notification),
        )


def _render_digest(digest: EmailDigest, notifications: Sequence[Notification], user: User) -> QueuedEmail:
    shown = notifications[:MAX_IN_DIGEST]
    with reader_zone(user.timezone):
        return QueuedEmail.from_template(
            f"digest {digest.pk} {notifications[-1].pk}",
            to=user.email,
            template="activity/mail/digest.txt",
            language=user.language,
            headers=unsubscribe_headers(user, sorted({row.kind for row in notifications})),
            user=user,
            sender=_club_name(notifications[0]),
            title=lambda: _digest_title(digest, len(notifications)),
            notifications=[(row, _link(row)) for row in shown],
            more=len(notifications) - len(shown),
        )


def _digest_title(digest: EmailDigest, count: int) -> str:
    if digest.topic == Topic.JOIN_REQUESTS:
        return ngettext("%(count)d join request", "%(count)d join requests", count) % {"count": count}
    return ngettext("%(count)d update", "%(count)d updates", count) % {"count": count}


def _club_name(notification: Notification) -> str:
    return to_single_line(notification.club.name) if notification.club else "BookBridge"


def _link(notification: Notification) -> str:
    """Return the URL of the page of the object, of its club or of the app."""
    if notification.club is None:
        is_review = notification.object_type == "review"
        return f"{settings.APP_URL}/reviews/{notification.object_id}" if is_review else settings.APP_URL
    club, path = f"{settings.APP_URL}/clubs/{notification.club.pk}", PATHS.get(notification.object_type)
    return f"{club}/{path}/{notification.object_id}" if path else club
