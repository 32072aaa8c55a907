"""Sends notifications to devices, several at once, and schedules what has to be tried again."""

import logging
import random
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from enum import Enum, auto
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.utils import translation

from accounts.models import User
from activity.models import Notification
from activity.push import apns, fcm, webpush
from activity.push.models import Device, DeviceKind
from activity.push.requests import PushRequest, PushService, truncate
from activity.serializers import NotificationSerializer
from core.http_client import RequestFailedError, Response

logger = logging.getLogger("bookbridge.push")

THREADS = 20
# All pushes of a run, which must fit into the lease of the task; those not sent by then are tried again.
MAX_SECONDS = 20.0
# Pauses after each attempt but the last: five attempts within an hour, also with the longest jitter.
RETRY_SECONDS = (20, 120, 600, 2400)
MAX_ATTEMPTS = len(RETRY_SECONDS) + 1
MAX_JITTER = 1.1
MAX_AGE_SECONDS = 3600.0

# Pauses of a device after its 1st, 2nd, … failure in a row: shorter than those between the attempts of one push.
PAUSE_SECONDS = (15, 100, 500, 2000)
MAX_PAUSES = 10_000

SERVICES: dict[str, tuple[Callable[[], bool], Callable[[], PushService]]] = {
    DeviceKind.WEBPUSH: (webpush.is_enabled, webpush.WebPush),
    DeviceKind.FCM: (fcm.is_enabled, fcm.FCM),
    DeviceKind.APNS: (apns.is_enabled, apns.APNs),
}


class Result(Enum):
    """The result of one push."""

    SENT = auto()
    GONE = auto()
    FAILED = auto()
    # Not tried, because the device is paused.
    POSTPONED = auto()


class Outcome(NamedTuple):
    """The result of one push, and the seconds to wait before the next attempt at least."""

    result: Result
    retry_after: float = 0.0


class Pauses:
    """Users' push services that did not respond to this process lately.

    Each notification would wait for the timeout again, and other tasks with it, also if the user registered more
    devices there.
    """

    def __init__(self) -> None:
        # By user and host: failures in a row, and the end of the pause by the monotonic clock.
        self._pauses: dict[tuple[int, str], tuple[int, float]] = {}

    def remaining(self, device: Device) -> float:
        """Return for how many seconds the device is paused, 0 if it is not."""
        return max(self._pauses.get(self._key(device), (0, 0.0))[1] - time.monotonic(), 0.0)

    def extend(self, device: Device) -> None:
        """Pause the device and the user's others at the same host, the longer the more often it has failed."""
        if len(self._pauses) >= MAX_PAUSES:
            self._pauses.clear()
        failures = self._pauses.get(self._key(device), (0, 0.0))[0]
        seconds = PAUSE_SECONDS[min(failures, len(PAUSE_SECONDS) - 1)]
        self._pauses[self._key(device)] = failures + 1, time.monotonic() + seconds

    def end(self, device: Device) -> None:
        """End the pause after a response."""
        self._pauses.pop(self._key(device), None)

    def clear(self) -> None:
        """End all pauses."""
        self._pauses.clear()

    @staticmethod
    def _key(device: Device) -> tuple[int, str]:
        return device.session.user_id, urlsplit(device.token).hostname or device.kind


pauses = Pauses()


class Push(NamedTuple):
    """A notification for one device."""

    notification_id: int
    device: Device
    payload: dict[str, Any]


def is_enabled(kind: str) -> bool:
    """Return whether the settings configure the push service of this kind of device."""
    return SERVICES[kind][0]()


def build_pushes(notification_ids: Iterable[int]) -> list[Push]:
    """Return the pushes of notifications that are unread and that their users may still see.

    The devices are read last, so that none whose session has just ended gets a push.
    """
    payloads = {pk: built for pk in notification_ids if (built := _build_payload(pk))}
    user_ids = {user_id for user_id, _payload in payloads.values()}
    devices: dict[int, list[Device]] = defaultdict(list)
    for device in Device.objects.active().filter(session__user__in=user_ids).select_related("session").order_by("pk"):
        if is_enabled(device.kind):
            devices[device.session.user_id].append(device)
    return [Push(pk, device, payload) for pk, (user_id, payload) in payloads.items() for device in devices[user_id]]


def _build_payload(notification_id: int) -> tuple[int, dict[str, Any]] | None:
    """Return the id of the user and the payload in their language, or None if nothing must be sent any more."""
    user = User.objects.filter(notifications=notification_id, is_active=True).first()
    if user is None:
        return None
    visible = Notification.objects.visible_to(user).unread().for_serializer(user)
    notification = visible.filter(pk=notification_id).first()
    if notification is None:
        return None
    with translation.override(user.language):
        data = NotificationSerializer(notification).data
    payload = {name: data[name] for name in ("id", "kind", "text", "object", "club")}
    return user.pk, truncate(payload | {"unread": Notification.objects.for_user(user).unread().count()})


def send_pushes(pushes: Collection[Push]) -> list[Outcome]:
    """Send the pushes and return their outcomes in the same order. Does not use the database."""
    services = {kind: SERVICES[kind][1]() for kind in {push.device.kind for push in pushes}}
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="push")
    # Each call runs in a copy of the context, so that its log lines have the trace id of the task.
    futures = [threads.submit(copy_context().run, _send, push, services[push.device.kind]) for push in pushes]
    wait(futures, MAX_SECONDS)
    # A thread may still wait for a name server, which has no deadline.
    threads.shutdown(wait=False, cancel_futures=True)
    outcomes = [_outcome(future) for future in futures]
    for service in services.values():
        service.client.close()
    return outcomes


def _outcome(future: Future[Outcome]) -> Outcome:
    return future.result() if future.done() and not future.cancelled() else Outcome(Result.FAILED)


def _send(push: Push, service: PushService) -> Outcome:
    if seconds := pauses.remaining(push.device):
        return Outcome(Result.POSTPONED, seconds)
    try:
        request = service.build_request(push.device, push.payload)
        response = _post(push.device, request, service)
    except RequestFailedError:
        return Outcome(Result.FAILED)
    except Exception as error:  # one device must not stop the pushes to the others
        # Without the text, which may contain the token.
        logger.error("push to device %s failed with %s", push.device.pk, type(error).__name__)
        return Outcome(Result.FAILED)
    if 200 <= response.status < 300:
        return Outcome(Result.SENT)
    if service.is_gone(response):
        return Outcome(Result.GONE)
    logger.info("push to device %s was answered with %s", push.device.pk, response.status)
    return Outcome(Result.FAILED, response.retry_after)


def _post(device: Device, request: PushRequest, service: PushService) -> Response:
    try:
        response = service.client.post(request.url, headers=request.headers, body=request.body)
    except RequestFailedError:
        pauses.extend(device)
        raise
    pauses.end(device)
    return response


def schedule_retries(
    pushes: Iterable[Push], outcomes: Iterable[Outcome], *, attempt: int, started_at: float
) -> dict[tuple[float, int], list[list[int]]]:
    """Return the failed and postponed pushes, as ids of notification and device, by time and number of the attempt.

    Without those that have been tried five times or would be older than an hour by then.
    """
    jitter = random.uniform(1, MAX_JITTER)
    retries: dict[tuple[float, int], list[list[int]]] = defaultdict(list)
    for push, outcome in zip(pushes, outcomes, strict=True):
        if outcome.result not in (Result.FAILED, Result.POSTPONED):
            continue
        at, number = _next_attempt(outcome, attempt, jitter)
        if number > MAX_ATTEMPTS or at > started_at + MAX_AGE_SECONDS:
            logger.warning("gave up a push to device %s after %s attempts", push.device.pk, attempt)
        else:
            retries[at, number].append([push.notification_id, push.device.pk])
    return dict(retries)


def _next_attempt(outcome: Outcome, attempt: int, jitter: float) -> tuple[float, int]:
    """Return the time and the number of the next attempt; a push that was postponed has not been tried."""
    if outcome.result == Result.POSTPONED:
        # In whole seconds, so that pushes to several devices share a task.
        return float(int(time.time() + outcome.retry_after) + 1), attempt
    pause = RETRY_SECONDS[min(attempt, len(RETRY_SECONDS)) - 1] * jitter
    return float(int(time.time() + max(pause, outcome.retry_after)) + 1), attempt + 1
