"""Reading list entries."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import Case, Exists, F, FilteredRelation, OuterRef, Q, Value, When
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from activity.changes.models import ChangeType
from activity.changes.services import changes_of, record_change, record_changes_of
from activity.choices import NotificationKind
from activity.models import ObjectRef
from activity.services import record_event
from catalog.models import Book
from clubs.members.activity import recompute_activity
from clubs.notifications import notify_members
from clubs.reading import counters
from clubs.reading.choices import CLOSED_STATUSES, TRANSITIONS, EntryStatus
from clubs.reading.entry_counters import EntryCounters
from clubs.reading.models.consents import SpoilerConsent
from clubs.reading.models.history import NOTE_LENGTH, EntryChange
from clubs.reading.models.milestones import Milestone
from clubs.reading.models.progress import Progress
from clubs.reading.querysets import EntryQuerySet
from clubs.roles import Rank, permission_denied
from clubs.signals import entry_added, entry_removed
from core.api.exceptions import Conflict, InvalidFieldError
from core.db.locking import lock_rows
from core.db.transactions import atomic_with_retry
from core.registry import entry_setters

if TYPE_CHECKING:
    from clubs.club.models import Club

DATES = ("starts_on", "ends_on", "finished_on")


class Entry(EntryCounters):
    """A book on a club's reading list. Positions are 1..n and change only while the club is locked.

    A book that the club has finished or dropped can be listed again, with the next `reading_number`.
    """

    club = models.ForeignKey("clubs.Club", models.CASCADE, related_name="entries", verbose_name=_("club"))
    book = models.ForeignKey("catalog.Book", models.PROTECT, related_name="entries", verbose_name=_("book"))
    status = models.CharField(
        max_length=10, choices=EntryStatus.choices, default=EntryStatus.PROPOSED, verbose_name=_("status")
    )
    # Signed, because positions are negative while a list is reordered (see `renumber`).
    position = models.IntegerField(verbose_name=_("position"))
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("added by")
    )
    starts_on = models.DateField(null=True, blank=True, verbose_name=_("starts on"))
    ends_on = models.DateField(null=True, blank=True, verbose_name=_("ends on"))
    note = models.TextField(max_length=NOTE_LENGTH, blank=True, verbose_name=_("note"))
    created_at = models.DateTimeField(default=timezone.now, editable=False, verbose_name=_("created at"))
    finished_on = models.DateField(null=True, blank=True, editable=False, verbose_name=_("finished on"))
    reading_number = models.PositiveSmallIntegerField(
        default=1, db_default=1, editable=False, verbose_name=_("reading number")
    )

    # Set by `lock_with_progress_of`.
    locked_spoilers_ok: bool

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("list entry")
        verbose_name_plural = _("list entries")
        constraints = [
            models.UniqueConstraint(fields=["club", "book", "reading_number"], name="clubs_entry_reading"),
            models.UniqueConstraint(fields=["club", "position"], name="clubs_entry_position"),
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True) | Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="clubs_entry_dates",
            ),
        ]
        indexes = [models.Index(fields=["club", "status", "position"], name="clubs_entry_by_status")]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @classmethod
    @atomic_with_retry
    def add_entry(
        cls, *, club: Club, book: Book, by: User, status: str = EntryStatus.PROPOSED, note: str = "", **dates: Any
    ) -> Entry:
        """Add `book` at the end of the club's list, with `starts_on`, `ends_on` and `finished_on` if they are given.

        Raises Conflict `already_listed` unless all entries of the book are finished or dropped, or InvalidFieldError if
        the book was deleted from the catalog or for dates that contradict each other.
        """
        club.lock()
        book = Book.objects.lock(book.pk) or book
        entry = cls(club=club, book=book, status=status, added_by=by, note=note)
        entry._set_numbers()
        dates = {name: value for name, value in dates.items() if value}
        if status == EntryStatus.FINISHED:
            dates.setdefault("finished_on", club.today)
        entry.check_dates(**dates)
        for name, value in dates.items():
            setattr(entry, name, value)
        entry._insert()
        entry_added.send(Entry, entry=entry)
        entry.count(None, entry.status)
        EntryChange.record(entry, by=by, status=("", entry.status))
        record_change(ChangeType.ENTRY, entry.pk, club=club.pk)
        entry.record_event("book.listed", by=by)
        if status == EntryStatus.PLANNED:
            entry.notify_planned(by=by)
        return entry

    @atomic_with_retry
    def update_entry(self, *, by: User | None, **values: Any) -> None:
        """Update any of `status`, `position`, `starts_on`, `ends_on`, `finished_on` and `note`, all or none.

        Positions start at 1; the entries in between are shifted. Raises Conflict `illegal_transition`, or
        InvalidFieldError for a position outside the list or dates that contradict each other. The transition to
        `finished` sets `finished_on` to today unless a day is given; a transition from `finished` clears it.
        """
        if values.get("finished_on", ...) is None:
            del values["finished_on"]
        attributes = {name: values.pop(name) for name in entry_setters.keys() & values.keys()}
        self.lock_with_club()
        was_status, was_finished_on, was_position = self.status, self.finished_on, self.position
        before = {name: getattr(self, name) for name in values}
        changed = {name: value for name, value in values.items() if before[name] != value}
        if "status" in changed:
            self._check_transition(changed["status"])
            changed.setdefault("finished_on", self.club.today if changed["status"] == EntryStatus.FINISHED else None)
        self.check_dates(**changed)
        if "position" in changed:
            self._move_to(changed["position"])
        for name, value in changed.items():
            setattr(self, name, value)
        self.save(update_fields=changed.keys() - {"position"})
        self.count(was_status, self.status, was_finished_on=was_finished_on)
        EntryChange.record(self, by=by, **{name: (before[name], changed[name]) for name in values if name in changed})
        changed_attributes = [entry_setters[name][1](self, value, by) for name, value in attributes.items()]
        if changed or any(changed_attributes):
            self._record_changes(was_position, self.position)
        if changed:
            self.record_event(_event_verb(changed), by=by)
        if changed.get("status") == EntryStatus.PLANNED:
            self.notify_planned(by=by)

    @atomic_with_retry
    def delete_entry(self, *, by: User | None) -> None:
        """Delete the entry with its milestones and progress, and close the gap in the positions; `by` None is staff."""
        self.lock_with_club()
        self._remove(by)

    @atomic_with_retry
    def delete_own_proposal(self, *, by: User) -> None:
        """Delete the user's own proposal. Raises PermissionDeniedProblem for any other entry."""
        self.lock_with_club()
        if self.added_by_id != by.pk or self.status != EntryStatus.PROPOSED:
            raise permission_denied(Rank.MODERATOR)
        self._remove(by)

    @property
    def object_ref(self) -> ObjectRef:
        """Reference to the entry for logs and notifications."""
        return ObjectRef("entry", self.pk, self.book.title)

    def record_event(self, verb: str, *, by: User | None) -> None:
        """Record what `by`, or a ballot (None), did to the entry."""
        record_event(verb, actor=by.pk if by else None, object_ref=self.object_ref, club=self.club_id)

    def notify_planned(self, *, by: User | None) -> None:
        """Notify the members, once per entry, that the club is going to read the book."""
        notify_members(
            self.club_id, NotificationKind.BOOK_PLANNED, type="entry", id=self.pk, actor=by.pk if by else None
        )

    def lock(self) -> None:
        """Lock the row. Raises Http404 if it was deleted."""
        if not lock_rows(Entry, [self.pk]):
            raise Http404

    def lock_with_progress_of(self, user: User) -> Progress | None:
        """Lock the row, and return the progress of `user` with it. Raises Http404 if the entry was deleted.

        Sets `locked_spoilers_ok`, and the book, which a merge may have changed.
        """
        consent = SpoilerConsent.objects.filter(entry=OuterRef("pk"), user=user.pk)
        rows = Entry.objects.annotate(
            own=FilteredRelation("progress", condition=Q(progress__user=user.pk)), own_spoilers_ok=Exists(consent)
        )
        locked = rows.select_related("own").select_for_update().filter(pk=self.pk).first()  # type: ignore[misc]
        if locked is None:
            raise Http404
        if self.book_id != locked.book_id:
            self.book_id = locked.book_id
        self.locked_spoilers_ok = locked.own_spoilers_ok  # type: ignore[attr-defined]
        return getattr(locked, "own", None)

    @contextmanager
    def not_found_if_deleted(self) -> Iterator[None]:
        """Raise Http404 instead of an integrity error if the entry was deleted in the meantime."""
        try:
            with transaction.atomic():
                yield
        except IntegrityError:
            if Entry.objects.filter(pk=self.pk).exists():
                raise
            raise Http404 from None

    def lock_with_club(self, *, with_user: User | None = None) -> None:
        """Lock club, book and entry, in this order, and reload the entry. Raises Http404 if either was deleted.

        The entry is locked because new progress and milestones refer to it, and the book because a rating locks it
        first.
        """
        self.club.lock(with_user=with_user)
        # A merge may have changed the book; it needs the lock on the club to do so.
        self.book_id = Entry.objects.filter(pk=self.pk).values_list("book", flat=True).first() or self.book_id
        lock_rows(Book, [self.book_id])
        try:
            self.refresh_from_db(fields=REFRESHED_FIELDS, from_queryset=Entry.objects.select_for_update())
        except Entry.DoesNotExist:
            raise Http404 from None

    def _remove(self, by: User | None) -> None:
        EntryChange.record(self, by=by, status=(self.status, ""))
        self.record_event("book.unlisted", by=by)
        self.count(self.status, None, was_finished_on=self.finished_on)
        users = list(Progress.objects.filter(entry=self, hidden=False).values_list("user", flat=True))
        entry_removed.send(Entry, entry=self)
        record_changes_of(*removal_changes(self))
        self.delete()
        recompute_activity(users, club_id=self.club_id)
        renumber(self.club_id, F("position") - 1, position__gt=self.position)

    def _record_changes(self, *positions: int) -> None:
        """Record that this entry has changed, and all entries between the positions."""
        between = Entry.objects.filter(club=self.club_id, position__range=(min(positions), max(positions)))
        record_changes_of(changes_of(between, ChangeType.ENTRY))

    def _set_numbers(self) -> None:
        """Set the position at the end of the list, and the reading number. The club must be locked.

        Raises Conflict `already_listed` if there is an open entry of the book.
        """
        of_book = Q(book=self.book_id)
        numbers = Entry.objects.filter(club=self.club_id).aggregate(
            position=models.Max("position"),
            reading=models.Max("reading_number", filter=of_book),
            open=models.Max("pk", filter=of_book & ~Q(status__in=CLOSED_STATUSES)),
        )
        if numbers["open"] is not None:
            raise _already_listed(numbers["open"])
        self.position, self.reading_number = (numbers["position"] or 0) + 1, (numbers["reading"] or 0) + 1

    def _insert(self) -> None:
        """Insert the row, or raise an API error that explains the integrity error."""
        try:
            with transaction.atomic():
                self.save(force_insert=True)
        except IntegrityError:
            if not Book.objects.filter(pk=self.book_id).exists():
                raise InvalidFieldError("book", "does_not_exist", _("There is no such book.")) from None
            raise

    def _check_transition(self, status: str) -> None:
        """Raise Conflict if the status may not follow the current one, or if the book would be open twice."""
        allowed = TRANSITIONS[EntryStatus(self.status)]
        if status not in allowed:
            raise Conflict(
                "illegal_transition",
                _("A book cannot go from %(now)s to %(then)s.")
                % {"now": EntryStatus(self.status).label, "then": EntryStatus(status).label},
                entry=self.pk,
                allowed=sorted(allowed),
            )
        if self.status in CLOSED_STATUSES and status not in CLOSED_STATUSES:
            others = Entry.objects.filter(club=self.club_id, book=self.book_id).exclude(pk=self.pk)
            if (listed := others.exclude(status__in=CLOSED_STATUSES).values_list("pk", flat=True).first()) is not None:
                raise _already_listed(listed)

    def check_dates(self, **changed: Any) -> None:
        """Raise InvalidFieldError for dates that contradict each other or the status."""
        after = {name: changed.get(name, getattr(self, name)) for name in ("status", *DATES)}
        starts_on, ends_on, finished_on = (after[name] for name in DATES)
        if starts_on and ends_on and ends_on < starts_on:
            raise _ends_before_start("ends_on" if "ends_on" in changed else "starts_on")
        if after["status"] != EntryStatus.FINISHED:
            if changed.get("finished_on"):
                raise InvalidFieldError("finished_on", "not_finished", _("Only a finished book has this date."))
            return
        if "finished_on" in changed and finished_on > self.club.today:
            raise InvalidFieldError("finished_on", "in_future", _("This date is in the future."))
        if starts_on and finished_on and finished_on < starts_on and {"starts_on", "finished_on"} & changed.keys():
            raise _ends_before_start("finished_on" if "finished_on" in changed else "starts_on")

    def _move_to(self, position: int) -> None:
        """Move the entry to another position and shift the entries in between."""
        entries = Entry.objects.filter(club=self.club_id)
        if not 1 <= position <= entries.count():
            raise InvalidFieldError("position", "outside_list", _("Position out of range."))
        low, high = sorted((self.position, position))
        step = 1 if position < self.position else -1
        positions = Case(When(pk=self.pk, then=Value(position)), default=F("position") + step)
        renumber(self.club_id, positions, position__range=(low, high))

    def count(self, before: str | None, after: str | None, *, was_finished_on: datetime.date | None = None) -> None:
        """Update the book's counters, unless the club is private. The club must be locked."""
        if self.club.is_private:
            return
        if before != after:
            # A club that reads a book again counts once.
            rows = Entry.objects.filter(club=self.club_id, book=self.book_id).exclude(pk=self.pk)
            counted = set(rows.values_list("status", flat=True))
            counters.update_counts(
                self.book_id, None if before in counted else before, None if after in counted else after
            )
        was_finished_on = was_finished_on if before == EntryStatus.FINISHED else None
        finished_on = self.finished_on if after == EntryStatus.FINISHED else None
        if was_finished_on != finished_on:
            counters.count_finished([was_finished_on], -1)
            counters.count_finished([finished_on], +1)


def _already_listed(entry: int) -> Conflict:
    return Conflict("already_listed", _("This book is already on the list."), entry=entry)


def _ends_before_start(field: str) -> InvalidFieldError:
    return InvalidFieldError(field, "ends_before_start", _("The end must not be before the start."))


def _event_verb(changed: Mapping[str, Any]) -> str:
    """Return the event verb of a change, by its most important part."""
    if "status" in changed:
        return f"book.{changed['status']}"
    return "book.moved" if "position" in changed else "entry.changed"


def removal_changes(entry: Entry) -> list[Any]:
    """Return the tombstones of an entry and its milestones, and the changes of the entries that move up."""
    rows, milestones = Entry.objects.filter(club=entry.club_id), Milestone.objects.filter(entry=entry)
    return [
        changes_of(milestones, ChangeType.MILESTONE, club="entry__club_id", parent_id="entry_id", deleted=True),
        changes_of(rows.filter(pk=entry.pk), ChangeType.ENTRY, deleted=True),
        changes_of(rows.filter(position__gt=entry.position), ChangeType.ENTRY),
    ]


def notification_target(pk: int) -> tuple[ObjectRef, str] | None:
    """Return the object reference for the notification, or None if the entry was deleted."""
    entry = Entry.objects.select_related("book").filter(pk=pk).first()
    return None if entry is None else (entry.object_ref, "")


REFRESHED_FIELDS = ["status", "position", *DATES, "note", "added_by"]


def renumber(club_id: int, positions: Any, **filters: Any) -> None:
    """Set the positions of some entries. The club must be locked.

    Two updates avoid unique violations: first to the negative of the new position, then to the position itself.
    """
    entries = Entry.objects.filter(club=club_id)
    entries.filter(**filters).update(position=positions * -1)
    entries.filter(position__lt=0).update(position=F("position") * -1)
