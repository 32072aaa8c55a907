"""Notifications by mail: a job takes those of one occasion one after the other, and notes each that has left."""

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
# Of one turn of the job; then others have theirs.
SECONDS = 2.0


@job("activity.mail", atomic=False)
def _mail(*, batch: str) -> bool:
    """Send some of a batch; whether there is more."""
    waiting = Notification.objects.filter(mail_batch=batch).order_by("id")
    end = time.monotonic() + SECONDS
    with Postman() as postman:
        while rows := list(waiting[:50]):
            for row in rows:
                _send(row, postman, alone=len(rows) == 1)
                if time.monotonic() > end:
                    return True
    return False


def _send(row: Notification, postman: Postman, *, alone: bool) -> None:
    """Send one, and note that it has left; one that the server wants later is put off by itself."""
    mail = _written(row)
    try:
        if mail:
            postman.send(mail)
    except RefusedError:
        logger.warning("the mail server refuses notification %s", row.pk)
    except DeferredError:
        if alone:
            raise
        _put_off(row)
        return
    _noted(Notification.objects.filter(pk=row.pk))


@retrying_atomic
def _noted(row: NotificationQuerySet) -> None:
    row.update(mail_batch=None)


@retrying_atomic
def _put_off(row: Notification) -> None:
    batch = uuid.uuid4().hex
    Notification.objects.filter(pk=row.pk).update(mail_batch=batch)
    enqueue("activity.mail", at=timezone.now() + 10 * FIRST_DELAY, batch=batch)


def _written(row: Notification) -> Mail | None:
    """The mail in the reader's language; None for whoever may not be told of it, or has no address, by now."""
    reader = User.objects.filter(pk=row.user_id, is_active=True, email_verified=True).exclude(email="").first()
    told = reader and Notification.objects.visible_to(reader).for_answer(reader).filter(pk=row.pk).first()
    if not reader or not told:
        return None
    return Mail.written(
        f"notification {row.pk}",
        to=reader.email,
        template="activity/mail/notification.txt",
        language=reader.language,
        user=reader,
        told=told,
    )
