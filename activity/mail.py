"""Notification e-mails. A task sends the e-mails of one batch and marks each one as sent."""

import logging
import time
import uuid

from django.utils import timezone

from accounts.models import User
from activity.models import Notification, NotificationQuerySet
from bookbridge.api.jobs import FIRST_DELAY, enqueue, job
from bookbridge.api.mail import DeferredError, Mail, Postman, RefusedError
from bookbridge.api.transactions import retrying_atomic

logger = logging.getLogger("bookbridge.mail")
# The task reschedules itself after this time, so that other tasks can run.
SECONDS = 2.0


@job("activity.mail", atomic=False)
def _mail(*, batch: str) -> bool:
    """Send e-mails of a batch until the time limit. Returns whether some are left."""
    pending = Notification.objects.filter(mail_batch=batch).order_by("id")
    end = time.monotonic() + SECONDS
    with Postman() as postman:
        while rows := list(pending[:50]):
            for row in rows:
                _send(row, postman, alone=len(rows) == 1)
                if time.monotonic() > end:
                    return True
    return False


def _send(row: Notification, postman: Postman, *, alone: bool) -> None:
    """Send one e-mail and mark it as sent. If the server defers it, move it to a batch of its own."""
    mail = _written(row)
    try:
        if mail:
            postman.send(mail)
    except RefusedError:
        logger.warning("the mail server rejected notification %s", row.pk)
    except DeferredError:
        if alone:
            raise
        _put_off(row)
        return
    _mark_sent(Notification.objects.filter(pk=row.pk))


@retrying_atomic
def _mark_sent(rows: NotificationQuerySet) -> None:
    rows.update(mail_batch=None)


@retrying_atomic
def _put_off(row: Notification) -> None:
    batch = uuid.uuid4().hex
    Notification.objects.filter(pk=row.pk).update(mail_batch=batch)
    enqueue("activity.mail", at=timezone.now() + 10 * FIRST_DELAY, batch=batch)


def _written(row: Notification) -> Mail | None:
    """Return the e-mail in the user's language; None if they may no longer see the notification or have no address."""
    user = User.objects.filter(pk=row.user_id, is_active=True, email_verified=True).exclude(email="").first()
    notification = user and Notification.objects.visible_to(user).for_answer(user).filter(pk=row.pk).first()
    if not user or not notification:
        return None
    return Mail.written(
        f"notification {row.pk}",
        to=user.email,
        template="activity/mail/notification.txt",
        language=user.language,
        user=user,
        notification=notification,
    )
