"""Readings: a user has read a book once, from a day to a day."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Prefetch, Q
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated

from accounts.models import User
from activity.changes.services import record_changes_of
from activity.models import ObjectRef
from activity.services import record_event
from catalog.models import BOOK_SUMMARY, Book
from clubs.members.models import Membership
from clubs.reading.choices import HUNDRED_PERCENT
from clubs.reading.guards import open_changes
from clubs.reading.models import Entry, percent_field
from core.api.exceptions import InvalidFieldError
from core.db.locking import lock_rows
from core.db.transactions import atomic_with_retry

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class ReadingState(models.TextChoices):
    """How far a reading has come."""

    READING = "reading", _("reading")
    FINISHED = "finished", _("finished")
    STOPPED = "stopped", _("stopped")


class ReadingSource(models.TextChoices):
    """Where a reading comes from."""

    CLUB = "club", _("progress in a club")
    IMPORT = "import", _("import")
    OWN = "own", _("entered by the user")


class ReadingQuerySet(models.QuerySet["Reading"]):
    """Queries for readings."""

    def visible_to(self, user: User | AnonymousUser) -> ReadingQuerySet:
        """Return the user's own readings. Nobody else sees them."""
        return self.filter(user=user.pk)

    def for_serializer(self) -> ReadingQuerySet:
        """Load what a response shows of the book, in a second query.

        With a join MariaDB starts from the books if a user has about as many readings as there are books, and sorts.
        """
        return self.prefetch_related(Prefetch("book", Book.objects.only(*BOOK_SUMMARY)))

    def finished(self) -> ReadingQuerySet:
        """Return readings of the whole book."""
        return self.filter(state=ReadingState.FINISHED)

    def counted(self) -> ReadingQuerySet:
        """Return the finished readings that statistics count: those with a day, of progress that is not hidden."""
        return self.finished().filter(hidden=False, finished_on__isnull=False)


class Reading(models.Model):
    """A reading of a book. A user may read a book several times.

    That of a member's progress has its `entry` and follows it. `finished_on` is also the day on which a user stopped;
    it is null if it is not known.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="readings", db_index=False, verbose_name=_("user")
    )
    # Without a constraint in the database, which would lock the book when progress is saved, after its entry: a review
    # locks them in the other order. A book on a reading list cannot be deleted, and all other writes lock the book.
    book = models.ForeignKey(Book, models.PROTECT, related_name="readings", db_constraint=False, verbose_name=_("book"))
    # The reading stays when the entry is deleted.
    entry = models.ForeignKey(
        "clubs.Entry", models.SET_NULL, null=True, related_name="readings", verbose_name=_("entry")
    )
    state = models.CharField(max_length=10, choices=ReadingState.choices, verbose_name=_("state"))
    percent = percent_field(default=0, verbose_name=_("percent"))
    started_on = models.DateField(null=True, blank=True, verbose_name=_("started on"))
    finished_on = models.DateField(null=True, blank=True, verbose_name=_("finished on"))
    source = models.CharField(
        max_length=10, choices=ReadingSource.choices, default=ReadingSource.OWN, verbose_name=_("source")
    )
    # Of hidden progress, which is in no statistics.
    hidden = models.BooleanField(default=False, editable=False, verbose_name=_("hidden"))
    created_at = models.DateTimeField(default=timezone.now, editable=False, verbose_name=_("created at"))

    objects = ReadingQuerySet.as_manager()

    class Meta:
        verbose_name = _("reading")
        verbose_name_plural = _("readings")
        default_permissions = ()
        indexes = [
            models.Index(fields=["user", "id"], name="readings_reading_of_user"),
            models.Index(fields=["user", "state", "id"], name="readings_reading_by_state"),
            models.Index(fields=["user", "book", "state"], name="readings_reading_of_book"),
            models.Index(fields=["user", "state", "finished_on"], name="readings_reading_by_day"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(percent__range=(0, 100)), name="readings_reading_percent"),
            models.CheckConstraint(
                condition=Q(started_on__isnull=True)
                | Q(finished_on__isnull=True)
                | Q(finished_on__gte=F("started_on")),
                name="readings_reading_dates",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @classmethod
    @atomic_with_retry
    def create_reading(cls, *, book: Book, by: User, **values: Any) -> Reading:
        """Save a reading that a user has entered. Raises InvalidFieldError for values that contradict each other."""
        if not lock_rows(User, [by.pk]):
            raise NotAuthenticated
        locked = Book.objects.lock(book.pk)
        if locked is None:
            raise InvalidFieldError("book", "does_not_exist", _("There is no such book."))
        reading = cls(
            user=by, book=book if locked.pk == book.pk else Book.objects.get(pk=locked.pk), source=ReadingSource.OWN
        )
        reading._assign(values)
        with recording_guard_changes(by.pk, reading.book_id):
            reading.save(force_insert=True)
        reading._log("reading.created")
        return reading

    @atomic_with_retry
    def update_reading(self, **values: Any) -> None:
        """Update the state, the percentage and the days. Raises Http404, or InvalidFieldError as above."""
        self._lock()
        self._assign(values)
        with recording_guard_changes(self.user_id, self.book_id):
            self.save(update_fields=UPDATED_FIELDS)
        self._log("reading.changed")

    @atomic_with_retry
    def delete_reading(self) -> None:
        """Delete the reading. Raises Http404 if it was deleted."""
        self._lock()
        self._log("reading.deleted")
        with recording_guard_changes(self.user_id, self.book_id):
            Reading.objects.filter(pk=self.pk).delete()

    @property
    def is_finished(self) -> bool:
        """Whether the user has read the whole book."""
        return self.state == ReadingState.FINISHED

    def _lock(self) -> None:
        """Lock and reload the row."""
        try:
            rows = Reading.objects.select_for_update().select_related(None)
            self.refresh_from_db(fields=[*UPDATED_FIELDS, "hidden"], from_queryset=rows)
        except Reading.DoesNotExist:
            raise Http404 from None

    def _assign(self, values: dict[str, Any]) -> None:
        """Set the values, and those that follow from them."""
        today = timezone.localdate(timezone=ZoneInfo(self.user.timezone))
        if "state" not in values:
            values = values | _implied_state(self, values, today)
        for name, value in values.items():
            setattr(self, name, value)
        if self.is_finished:
            if values.get("percent", HUNDRED_PERCENT) != HUNDRED_PERCENT:
                raise InvalidFieldError("percent", "finished", _("A finished book is read to 100 %."))
            self.percent = HUNDRED_PERCENT
        elif self.percent == HUNDRED_PERCENT:
            if "percent" in values:
                raise InvalidFieldError("percent", "finished", _("At 100 % the book is finished."))
            self.percent = Decimal(0)
        if self.state == ReadingState.READING:
            if values.get("finished_on"):
                raise InvalidFieldError("finished_on", "not_finished", _("Only a finished book has this date."))
            self.finished_on = None
        self._check_dates(today, values)

    def _check_dates(self, today: datetime.date, values: dict[str, Any]) -> None:
        for name in ("started_on", "finished_on"):
            if (day := values.get(name)) and day > today:
                raise InvalidFieldError(name, "in_future", _("This date is in the future."))
        if self.started_on and self.finished_on and self.finished_on < self.started_on:
            field = "finished_on" if values.get("finished_on") else "started_on"
            raise InvalidFieldError(field, "ends_before_start", _("The end must not be before the start."))

    def _log(self, verb: str) -> None:
        """Record an event in the user's own log."""
        record_event(verb, actor=self.user_id, object_ref=ObjectRef("book", self.book_id, self.book.title))


def _implied_state(reading: Reading, values: dict[str, Any], today: datetime.date) -> dict[str, Any]:
    """Return the state that is not sent: a book at 100 % or with a last day is finished."""
    percent = values.get("percent")
    if percent == HUNDRED_PERCENT and not reading.is_finished:
        return {"state": ReadingState.FINISHED, "finished_on": values.get("finished_on") or today}
    if reading.is_finished and percent is not None and percent != HUNDRED_PERCENT:
        return {"state": ReadingState.READING}
    if reading.state:
        return {}
    return {"state": ReadingState.FINISHED if values.get("finished_on") else ReadingState.READING}


UPDATED_FIELDS = ("state", "percent", "started_on", "finished_on")


@contextmanager
def recording_guard_changes(user_id: int, book_id: int) -> Iterator[None]:
    """Record what is opened or guarded again if the user has finished the book after the block, but not before it."""
    finished = Reading.objects.finished().filter(user=user_id, book=book_id)
    was_finished = finished.exists()
    yield
    if finished.exists() == was_finished:
        return
    clubs = Membership.objects.active().filter(user=user_id).values("club")
    entries = list(Entry.objects.filter(book=book_id, club__in=clubs).values_list("pk", flat=True))
    if entries:
        record_changes_of(*open_changes(user_id, entries))


def finished_book(user: User, entry: str) -> Any:
    """Return the condition for rows about a book that `user` has finished; `entry` is the rows' column of the entry."""
    return Exists(Reading.objects.finished().filter(user=user.pk, book=OuterRef(f"{entry}__book")))
