"""Tasks that send push notifications."""

import datetime
import time

from activity.models import Notification
from activity.push import delivery
from activity.push.delivery import Outcome, Push, Result
from activity.push.models import Device
from core.db.transactions import atomic_with_retry
from core.tasks.decorators import task

# Notifications sent in one run; then other tasks run.
BATCH_SIZE = 20


@task(atomic=False)
def send_push_notifications(*, batch: str) -> bool:
    """Send some notifications of a batch to the devices of their users; return whether there are more."""
    pending = Notification.objects.filter(push_batch=batch).order_by("pk").values_list("pk", flat=True)
    notification_ids = list(pending[:BATCH_SIZE])
    pushes = delivery.build_pushes(notification_ids)
    _record(pushes, delivery.send_pushes(pushes), attempt=1, started_at=time.time(), sent=notification_ids)
    return len(notification_ids) == BATCH_SIZE


@task(atomic=False)
def retry_pushes(*, pushes: list[list[int]], attempt: int, started_at: float) -> None:
    """Try pushes again: ids of a notification and a device. `started_at` is the time of the first attempt."""
    wanted = {tuple(pair) for pair in pushes}
    found = delivery.build_pushes({notification_id for notification_id, _device in pushes})
    again = [push for push in found if (push.notification_id, push.device.pk) in wanted]
    _record(again, delivery.send_pushes(again), attempt=attempt, started_at=started_at)


@atomic_with_retry
def _record(
    pushes: list[Push], outcomes: list[Outcome], *, attempt: int, started_at: float, sent: list[int] | None = None
) -> None:
    """Record what was sent, delete the devices that are gone, and schedule the next attempts."""
    if sent:
        Notification.objects.filter(pk__in=sent).update(push_batch=None)
    gone = [push.device.pk for push, outcome in zip(pushes, outcomes, strict=True) if outcome.result == Result.GONE]
    if gone:
        Device.objects.filter(pk__in=gone).delete()
    retries = delivery.schedule_retries(pushes, outcomes, attempt=attempt, started_at=started_at)
    for (at, number), again in retries.items():
        run_after = datetime.datetime.fromtimestamp(at, datetime.UTC)
        retry_pushes.using(run_after=run_after).enqueue(pushes=again, attempt=number, started_at=started_at)
