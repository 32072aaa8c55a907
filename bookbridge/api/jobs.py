"""Work that is done later: a row, written in the transaction of the change that wants it.

>>> @job("shelf.dust")
... def dust(*, shelf: int) -> None:
...     "Dust a shelf; nothing happens to one that is clean."
>>> enqueue("shelf.dust", shelf=7)

A worker has a job by moving its `due_at` to the end of a lease, in one UPDATE that only one of many can win. Where that
worker is killed the lease runs out, and the job is due again: nobody has to look for the lost ones. Whatever a worker
settles is settled only while the lease is still its own.

What a handler does must bear being done again: its process may end between the work and the note that it is done. A
handler that is `atomic` (the default) writes to the database alone; its writes and that note are one transaction, so
that they happen once.

What is to be done again and again is a job for each period (`every`), which all workers ask for and one gets: its key
names the period.

JOBS=inline has them done in the server's own processes, JOBS=worker in those of `manage.py work_jobs`.
"""

from __future__ import annotations

import datetime
import logging
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

from django.db import IntegrityError, close_old_connections, connections, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from bookbridge.api.fields import KeyField
from bookbridge.api.transactions import retrying_atomic

logger = logging.getLogger("bookbridge.jobs")

# How long a worker has a job to itself. Work that takes longer does a part and returns True.
LEASE = datetime.timedelta(seconds=60)
# With the delays between them the last attempt is about six hours after the first.
MOST_ATTEMPTS = 12
FIRST_DELAY, LONGEST_DELAY = datetime.timedelta(seconds=10), datetime.timedelta(hours=1)
DONE_KEPT = datetime.timedelta(days=30)


class Handler(NamedTuple):
    """What does the jobs of one name."""

    work: Callable[..., bool | None]
    atomic: bool
    gave_up: Callable[..., None] | None
    every: datetime.timedelta | None = None


handlers: dict[str, Handler] = {}
Work = TypeVar("Work", bound=Callable[..., bool | None])


def job(name: str, *, atomic: bool = True, gave_up: Callable[..., None] | None = None) -> Callable[[Work], Work]:
    """Register the handler of the jobs called `name`; it is called with what `enqueue` was given.

    It returns True where there is more to do: the job goes to the end of the line. An exception means another attempt,
    later; after the last one `gave_up` is called, in one transaction with the note of the failure.
    """

    def register(work: Work) -> Work:
        handlers[name] = Handler(work, atomic, gave_up)
        return work

    return register


def every(name: str, *, atomic: bool = True, **period: float) -> Callable[[Work], Work]:
    """Register work that is done once in each period (`hours=24`), however many servers there are.

    A period that nobody was there for is left out. What is done must bear being done twice, as any job.
    """

    def register(work: Work) -> Work:
        handlers[name] = Handler(work, atomic, None, datetime.timedelta(**period))
        return work

    return register


def schedule() -> None:
    """Ask for what this period wants done; who is not the first finds it asked for."""
    now = timezone.now()
    for name, handler in list(handlers.items()):
        if handler.every and _scheduled.get(name) != (period := int(now.timestamp() // handler.every.total_seconds())):
            enqueue(name, key=f"every:{name}:{period}")
            _scheduled[name] = period


# The last period that this process has asked for; saves a query each time.
_scheduled: dict[str, int] = {}


def enqueue(name: str, /, *, key: str | None = None, at: datetime.datetime | None = None, **payload: Any) -> bool:
    """Have a job done once the transaction around is committed, or from the moment `at` on; whether it is new.

    Of several with one `key` the first counts, for as long as its row is kept: 30 days after it is done. `payload` is
    kept as JSON and is for ids, not for what people wrote. Raises LookupError for a name that nobody handles.
    """
    if name not in handlers:
        raise LookupError(name)
    row = Job(name=name, key=key, payload=payload, due_at=at or timezone.now())
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        if key is None:
            raise
        return False
    transaction.on_commit(_wake.set)
    return True


def run_due(*, stopping: Callable[[], bool] = lambda: False) -> int:
    """Do the jobs that are due, one after the other, until there is none or `stopping` says so; how many were begun."""
    begun = 0
    while not stopping() and (row := Job.objects.claim()):
        row.run()
        begun += 1
    return begun


class LeaseLostError(Exception):
    """The job is another worker's by now."""


class AbandonedError(Exception):
    """Each attempt so far ended with its worker."""


class State(models.TextChoices):
    """What has become of a job."""

    OPEN = "open", pgettext_lazy("job", "open")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")


class JobQuerySet(models.QuerySet["Job"]):
    """Rules about many jobs."""

    def due(self) -> JobQuerySet:
        """Those to be done now, the longest waiting first."""
        return self.filter(state=State.OPEN, due_at__lte=timezone.now()).order_by("due_at", "id")

    def expired(self) -> JobQuerySet:
        """Those done 30 days ago; failed ones stay until staff have seen to them."""
        return self.filter(state=State.DONE, ended_at__lt=timezone.now() - DONE_KEPT)

    def try_again(self) -> int:
        """Make failed ones due at once, with all their attempts before them; how many there were."""
        fresh = {"state": State.OPEN, "due_at": timezone.now(), "attempts": 0, "error": "", "ended_at": None}
        again = self.filter(state=State.FAILED).update(**fresh)
        transaction.on_commit(_wake.set)
        return again

    def claim(self) -> Job | None:
        """A job that is due and, for the length of a lease, the caller's alone; None where there is none."""
        while rows := list(self.due()[:10]):
            for row in rows:
                if row.claim():
                    return row
        return None


class Job(models.Model):
    """One thing to be done."""

    name = KeyField(max_length=100)
    key = KeyField(max_length=191, null=True, unique=True, help_text=_("Of several with one key the first is done."))
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    due_at = models.DateTimeField(help_text=_("When it is to be done; while somebody does it, when their lease ends."))
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=100, blank=True, help_text=_("The kind of the last error, without its text."))
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        indexes = [
            models.Index(fields=["state", "due_at", "id"], name="api_job_due"),
            models.Index(fields=["state", "ended_at"], name="api_job_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"

    def claim(self) -> bool:
        """Take the job for the length of a lease; whether nobody else was quicker."""
        lease = timezone.now() + LEASE
        if not self._mine().update(due_at=lease, attempts=models.F("attempts") + 1):
            return False
        self.due_at, self.attempts = lease, self.attempts + 1
        return True

    def run(self) -> None:
        """Do a claimed job, and note what came of it."""
        try:
            if self.attempts > MOST_ATTEMPTS:
                raise AbandonedError
            handler = handlers[self.name]
            if handler.atomic:
                self._run_whole(handler)
            else:
                self._settle(more=handler.work(**self.payload))
        except LeaseLostError:
            logger.warning("job %s was taken over", self.name)
        except Exception as error:  # whatever it is, the next job is none the worse
            logger.error("job %s failed", self.name, exc_info=error)
            with suppress(LeaseLostError):
                self._put_off(error)

    @retrying_atomic
    def _run_whole(self, handler: Handler) -> None:
        self._settle(more=handler.work(**self.payload))

    def _settle(self, *, more: bool | None) -> None:
        now = timezone.now()
        if more:
            self._write(due_at=now, attempts=0, error="")
        else:
            self._write(state=State.DONE, ended_at=now)

    @retrying_atomic
    def _put_off(self, error: Exception) -> None:
        """Try again later, each time after a longer wait; after the last attempt it has failed."""
        kind, now = type(error).__name__[:100], timezone.now()
        if self.attempts < MOST_ATTEMPTS:
            delay = min(FIRST_DELAY * 3 ** (self.attempts - 1), LONGEST_DELAY) * random.uniform(1, 1.2)
            self._write(due_at=now + delay, error=kind)
            return
        self._write(state=State.FAILED, ended_at=now, error=kind)
        handler = handlers.get(self.name)
        if handler and handler.gave_up:
            handler.gave_up(**self.payload)

    @retrying_atomic
    def _write(self, **values: Any) -> None:
        if not self._mine().update(**values):
            raise LeaseLostError

    def _mine(self) -> JobQuerySet:
        """The row, unless another worker has had it since."""
        return Job.objects.filter(pk=self.pk, state=State.OPEN, due_at=self.due_at)


_wake = threading.Event()


class Worker:
    """Does jobs as they fall due, until `stopping` is set, with `pause` seconds between two looks."""

    def __init__(self, *, pause: float = 2.0) -> None:
        self.pause = pause
        # A plain attribute: a signal's handler may set it, where an Event's lock could be held by who was interrupted.
        self.stopping = False

    def run(self) -> None:
        """Work; a database that is away is asked again, less and less often."""
        wait = self.pause
        while not self.stopping:
            close_old_connections()
            try:
                schedule()
                run_due(stopping=lambda: self.stopping)
                wait = self.pause
            except Exception as error:  # the thread's last stop
                logger.error("no jobs can be done", exc_info=error)
                wait = min(2 * wait, 60)
            close_old_connections()
            # What is enqueued from here on sets the event again.
            _wake.wait(wait)
            _wake.clear()
        connections.close_all()


_background: list[tuple[Worker, threading.Thread]] = []


def start() -> None:
    """Do jobs in a thread of this process from now on (JOBS=inline)."""
    worker = Worker()
    thread = threading.Thread(target=worker.run, name="jobs", daemon=True)
    _background.append((worker, thread))
    thread.start()


def stop(seconds: float = 5.0) -> None:
    """Let the thread end after the job at hand. What takes longer than `seconds` is left to its lease."""
    while _background:
        worker, thread = _background.pop()
        worker.stopping = True
        _wake.set()
        thread.join(seconds)
