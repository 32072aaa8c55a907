"""Tasks that send notifications by e-mail."""

import logging
import time
import uuid

from django.utils import timezone

from activity.digests.models import EmailDigest, Topic
from activity.emails import send_digest, send_notification
from activity.models import Notification
from core.db.transactions import atomic_with_retry
from core.mail import DeliveryDeferredError, SMTPSession
from core.tasks.decorators import periodic_task, task
from core.tasks.models import RETRY_BACKOFF_INITIAL

# After this time the task continues in another run, so that other tasks are not delayed.
MAX_SECONDS_PER_RUN = 2.0

logger = logging.getLogger("bookbridge.mail")


@task(atomic=False)
def send_notification_emails(*, batch: str) -> bool:
    """Send some e-mails of a batch and record each one that was sent; return whether there are more.

    What can wait is moved to a digest, which is sent now if it is due.
    """
    pending = Notification.objects.filter(email_batch=batch).order_by("id")
    deadline = time.monotonic() + MAX_SECONDS_PER_RUN
    with SMTPSession() as smtp:
        while notifications := list(pending[:50]):
            for notification in notifications:
                if topic := Topic.for_notification(notification):
                    _send_digest_if_due(EmailDigest.objects.add(notification, topic), smtp)
                else:
                    _send(notification, smtp, is_last=len(notifications) == 1)
                if time.monotonic() > deadline:
                    return True
    return False


@periodic_task(minutes=10, atomic=False)
def send_due_digests() -> bool:
    """Send some of the digests that are due; return whether there may be more."""
    deadline = time.monotonic() + MAX_SECONDS_PER_RUN
    with SMTPSession() as smtp:
        while digests := list(EmailDigest.objects.due()[:50]):
            for digest in digests:
                _send_digest_if_due(digest, smtp)
                if time.monotonic() > deadline:
                    return True
    return False


def _send_digest_if_due(digest: EmailDigest, smtp: SMTPSession) -> None:
    """Send a digest unless it has to wait. If the mail server does not accept it now, it is due again later."""
    if digest.claim():
        try:
            send_digest(digest, smtp)
        except DeliveryDeferredError:
            logger.info("the mail server deferred %s", digest)


def _send(notification: Notification, smtp: SMTPSession, *, is_last: bool) -> None:
    """Send one e-mail. If the mail server defers it, move it to a batch of its own, unless it `is_last`."""
    try:
        send_notification(notification, smtp)
    except DeliveryDeferredError:
        if is_last:
            raise
        _defer(notification)
    else:
        _record_sent(notification)


@atomic_with_retry
def _record_sent(notification: Notification) -> None:
    Notification.objects.filter(pk=notification.pk).update(email_batch=None)


@atomic_with_retry
def _defer(notification: Notification) -> None:
    batch = uuid.uuid4().hex
    Notification.objects.filter(pk=notification.pk).update(email_batch=batch)
    send_notification_emails.using(run_after=timezone.now() + 10 * RETRY_BACKOFF_INITIAL).enqueue(batch=batch)
