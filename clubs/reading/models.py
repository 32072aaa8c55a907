"""A club's reading list, its milestones, its readers' progress, and the history of who changed what."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from types import ModuleType
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import IntegrityError, models, transaction
from django.db.models import Case, Count, Exists, F, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bookbridge.api.errors import Conflict, Forbidden, InvalidField
from bookbridge.api.transactions import retrying_atomic
from catalog.models import Book
from clubs.clubs.models import Visibility
from clubs.members.models import Membership
from clubs.reading import counters
from clubs.reading.rules import ALL, STEPS, Mark, Status, Unit, hundredths
from clubs.statistics.models import EntryFigures

if TYPE_CHECKING:
    from accounts.models import User
    from clubs.clubs.models import Club

NOTE_LENGTH = 1000
MOST_CHAPTERS = 10_000

# What apps above this one know of an entry: the field's name -> the expression that computes it in the entry's query
# (`club_average_rating`: the mean that the club's members give the book, as the reviews app tells it).
figures: dict[str, Callable[[], Any]] = {
    "club_average_rating": lambda: Value(None, output_field=models.DecimalField(max_digits=3, decimal_places=2)),
}


def _percent(**kwargs: Any) -> Any:
    limits = [MinValueValidator(0), MaxValueValidator(100)]
    return models.DecimalField(max_digits=5, decimal_places=2, validators=limits, **kwargs)


class EntryQuerySet(models.QuerySet["Entry"]):
    """Rules about many entries."""

    def with_figures(self, user: User | AnonymousUser) -> EntryQuerySet:
        """With all that an answer to `user` shows, in two queries however many entries there are."""
        finished = Progress.objects.shown().filter(entry=OuterRef("pk"), percent=ALL)
        members_finished = finished.order_by().values("entry").annotate(n=Count("pk")).values("n")
        own = Progress.objects.filter(user=user.pk) if user.is_authenticated else Progress.objects.none()
        return (
            self.select_related("book", "added_by")
            .defer("book__description", "book__search_text")
            .annotate(members_finished=Coalesce(Subquery(members_finished), 0))
            .annotate(**{name: expression() for name, expression in figures.items()})
            .prefetch_related(models.Prefetch("marks", own, to_attr="own_marks"))
        )

    def count_by_book(self, books: Sequence[int]) -> dict[int, dict[str, int]]:
        """What each of these books' counters of clubs should be (`clubs.reading.counters`), where they are not 0."""
        counted = self.filter(book__in=books, club__visibility=Visibility.PUBLIC, status__in=counters.COLUMNS)
        figures: dict[int, dict[str, int]] = {}
        for book, status, n in counted.order_by().values_list("book", "status").annotate(n=Count("pk")):
            figures.setdefault(book, {})[counters.COLUMNS[Status(status)]] = n
        return figures

    def current(self) -> EntryQuerySet:
        """What each club is reading now: of its entries in that status the first."""
        reading = Entry.objects.filter(club=OuterRef("club"), status=Status.READING).order_by("position")
        return self.filter(status=Status.READING, position=Subquery(reading.values("position")[:1]))


class Entry(EntryFigures):
    """A book on a club's list. Positions of a list are 1..n; whoever writes them holds the club's row."""

    club = models.ForeignKey("clubs.Club", models.CASCADE, related_name="entries")
    book = models.ForeignKey("catalog.Book", models.PROTECT, related_name="entries")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROPOSED)
    # Signed: while a list is put in another order its rows are negative (see `_renumber`).
    position = models.IntegerField()
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    note = models.TextField(max_length=NOTE_LENGTH, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("list entry")
        verbose_name_plural = _("list entries")
        constraints = [
            models.UniqueConstraint(fields=["club", "book"], name="clubs_entry_once"),
            models.UniqueConstraint(fields=["club", "position"], name="clubs_entry_position"),
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True) | Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="clubs_entry_dates",
            ),
        ]
        indexes = [models.Index(fields=["club", "status", "position"], name="clubs_entry_by_status")]

    def __str__(self) -> str:
        return f"{self.position}. {self.book_id} ({self.status})"

    @classmethod
    @retrying_atomic
    def add(cls, *, club: Club, book: Book, by: User, status: str = Status.PROPOSED, note: str = "") -> Entry:
        """Put `book` at the end of the club's list.

        Raises Conflict `already_listed`, or InvalidField where the book has gone from the catalogue by now.
        """
        club.lock()
        _hold_book(book.pk)
        last = cls.objects.filter(club=club).aggregate(last=models.Max("position"))["last"] or 0
        entry = cls(club=club, book=book, status=status, position=last + 1, added_by=by, note=note)
        entry.finished_at = entry.created_at if status == Status.FINISHED else None
        entry._insert()
        statistics().entry_added(entry)
        entry._count(None, entry.status)
        EntryChange.record(entry, by=by, status=("", entry.status))
        return entry

    @retrying_atomic
    def change(self, *, by: User, **values: Any) -> None:
        """Set some of `status`, `position`, `starts_on`, `ends_on` and `note`, all or none.

        A position from 1; those between the old and the new one close up. Raises Conflict `illegal_transition`, or
        InvalidField for a position outside the list or an end before the start.
        """
        self._lock()
        finished_at = self.finished_at
        before = {name: getattr(self, name) for name in values}
        changed = {name: value for name, value in values.items() if before[name] != value}
        if "status" in changed:
            changed |= self._step(changed["status"])
        self._check_dates(**changed)
        if "position" in changed:
            self._move(changed["position"])
        for name, value in changed.items():
            setattr(self, name, value)
        self.save(update_fields=changed.keys() - {"position"})
        self._count(before.get("status"), changed.get("status", before.get("status")), was_finished_at=finished_at)
        EntryChange.record(self, by=by, **{n: (before[n], changed[n]) for n in values if n in changed})

    @retrying_atomic
    def remove(self, *, by: User) -> None:
        """Take the book off the list with its milestones and marks; the others close up."""
        self._lock()
        self._remove(by)

    @retrying_atomic
    def withdraw(self, *, by: User) -> None:
        """As `remove`, for who proposed it. Raises Forbidden for anybody else, and once it is no longer proposed."""
        self._lock()
        if self.added_by_id != by.pk or self.status != Status.PROPOSED:
            raise Forbidden("moderators_only", _("Only the club's moderators may do this."))
        self._remove(by)

    def _lock(self) -> None:
        """Hold the club's row and this one, read afresh, until the transaction ends; 404 where either is gone.

        The row itself too: a mark or a milestone that is being written refers to it, and comes before or after; and
        the book before it, as whoever rates it does.
        """
        self.club.lock()
        _hold_book(self.book_id)
        try:
            self.refresh_from_db(fields=LOCKED_FIELDS, from_queryset=Entry.objects.select_for_update())
        except Entry.DoesNotExist:
            raise Http404 from None

    def _remove(self, by: User) -> None:
        EntryChange.record(self, by=by, status=(self.status, ""))
        self._count(self.status, None, was_finished_at=self.finished_at)
        self.delete()
        _renumber(self.club_id, F("position") - 1, position__gt=self.position)

    def _insert(self) -> None:
        """Write the new row, or say why the database refused it."""
        try:
            with transaction.atomic():
                self.save(force_insert=True)
        except IntegrityError:
            listed = Entry.objects.filter(club=self.club_id, book=self.book_id).values_list("pk", flat=True).first()
            if listed is not None:
                raise Conflict("already_listed", _("This book is on the list already."), entry=listed) from None
            if not Book.objects.filter(pk=self.book_id).exists():
                raise InvalidField("book", "does_not_exist", _("There is no such book.")) from None
            raise

    def _step(self, status: str) -> dict[str, Any]:
        """The columns of a step to `status`; Conflict where it is none of STEPS."""
        following = STEPS[Status(self.status)]
        if status not in following:
            raise Conflict(
                "illegal_transition",
                _("A book that is %(now)s cannot become %(then)s at once.") % {"now": self.status, "then": status},
                allowed=sorted(following),
            )
        return {"finished_at": timezone.now() if status == Status.FINISHED else None}

    def _check_dates(self, **changed: Any) -> None:
        starts_on, ends_on = changed.get("starts_on", self.starts_on), changed.get("ends_on", self.ends_on)
        if starts_on and ends_on and ends_on < starts_on:
            field = "ends_on" if "ends_on" in changed else "starts_on"
            raise InvalidField(field, "ends_before_start", _("The end may not be before the start."))

    def _move(self, position: int) -> None:
        """Give the entry another place; those between close up."""
        entries = Entry.objects.filter(club=self.club_id)
        if not 1 <= position <= entries.count():
            raise InvalidField("position", "outside_list", _("The list has no such place."))
        low, high = sorted((self.position, position))
        step = 1 if position < self.position else -1
        places = Case(When(pk=self.pk, then=Value(position)), default=F("position") + step)
        _renumber(self.club_id, places, position__range=(low, high))

    def _count(
        self, before: str | None, after: str | None, *, was_finished_at: datetime.datetime | None = None
    ) -> None:
        """Move the book's counters, if the club is public: a private one shows through nothing."""
        if self.club.is_private or before == after:
            return
        counters.move(self.book_id, before, after)
        counters.count_finished([was_finished_at], -1)
        counters.count_finished([self.finished_at if after == Status.FINISHED else None], +1)


LOCKED_FIELDS = ["status", "position", "starts_on", "ends_on", "note", "added_by", "finished_at"]


def _hold_book(book_id: int) -> None:
    """Lock a book's row, if it is there."""
    Book.objects.select_for_update().filter(pk=book_id).values_list("pk").first()


def statistics() -> ModuleType:
    """The services of clubs' figures, which are made of lists and are loaded after them."""
    from clubs.statistics import services

    return services


def _renumber(club_id: int, places: Any, **which: Any) -> None:
    """Give some entries of a club their new `places`, in two steps so that no two ever have the same one.

    First all at once the negative of the new place, which none has, then that without the sign. The caller holds the
    club's row.
    """
    entries = Entry.objects.filter(club=club_id)
    entries.filter(**which).update(position=places * -1)
    entries.filter(position__lt=0).update(position=F("position") * -1)


class EntryChange(models.Model):
    """Who changed what on a list, written with the change; it outlives the entry.

    A book that is put on the list or taken off it is a `status` that was or becomes empty.
    """

    club = models.ForeignKey("clubs.Club", models.CASCADE, related_name="entry_changes")
    book = models.ForeignKey("catalog.Book", models.CASCADE, related_name="+")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    field = models.CharField(max_length=20)
    old = models.TextField(max_length=NOTE_LENGTH, blank=True)
    new = models.TextField(max_length=NOTE_LENGTH, blank=True)

    class Meta:
        verbose_name = _("change of a list")
        verbose_name_plural = _("changes of lists")
        indexes = [models.Index(fields=["club", "book", "at"], name="clubs_entrychange_of_entry")]

    def __str__(self) -> str:
        return f"{self.field}: {self.old[:50]!r} -> {self.new[:50]!r}"

    @classmethod
    def record(cls, entry: Entry, *, by: User, **changes: tuple[Any, Any]) -> None:
        """Note each change, the field's name to its old and its new value."""
        where = {"club_id": entry.club_id, "book_id": entry.book_id}
        EntryChange.objects.bulk_create(
            EntryChange(**where, actor=by, field=name, old=_text(old), new=_text(new))
            for name, (old, new) in changes.items()
        )


def _text(value: Any) -> str:
    return "" if value is None else str(value)


class MilestoneQuerySet(models.QuerySet["Milestone"]):
    """Rules about many milestones."""

    def percent_due(self, today: datetime.date) -> Decimal | None:
        """How far the readers of one entry should be: what the latest percent milestone whose day has come asks.

        0 while none has come, None where there are no percent milestones. Of several on one day the farthest counts.
        """
        due = Case(When(due_on__lte=today, then=Value(1)), default=Value(0))
        latest = (
            self.filter(up_to_percent__isnull=False)
            .annotate(due=due)
            .order_by("-due", "-due_on", "-up_to_percent")
            .values_list("due", "up_to_percent")
            .first()
        )
        return latest and (latest[1] if latest[0] else Decimal(0))


class Milestone(models.Model):
    """A step of the schedule: by `due_on`, in the club's time zone, read up to a percentage or a chapter."""

    entry = models.ForeignKey(Entry, models.CASCADE, related_name="milestones")
    title = models.CharField(max_length=200)
    up_to_percent = _percent(null=True, blank=True)
    up_to_chapter = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(MOST_CHAPTERS)]
    )
    due_on = models.DateField()

    objects = MilestoneQuerySet.as_manager()

    class Meta:
        verbose_name = _("milestone")
        verbose_name_plural = _("milestones")
        constraints = [
            models.CheckConstraint(
                condition=Q(up_to_percent__isnull=True, up_to_chapter__isnull=False)
                | Q(up_to_percent__isnull=False, up_to_chapter__isnull=True),
                name="clubs_milestone_one_goal",
            ),
            models.CheckConstraint(
                condition=Q(up_to_percent__isnull=True) | Q(up_to_percent__range=(0, 100)),
                name="clubs_milestone_percent",
            ),
        ]
        indexes = [models.Index(fields=["entry", "due_on"], name="clubs_milestone_by_day")]

    def __str__(self) -> str:
        return self.title

    @classmethod
    @retrying_atomic
    def add(cls, *, entry: Entry, **fields: Any) -> Milestone:
        """Add a step to an entry's schedule; 404 where the entry has gone by now."""
        with gone_unless(entry):
            return cls.objects.create(entry=entry, **fields)

    @retrying_atomic
    def change(self, **fields: Any) -> None:
        """Set plain columns; 404 where the milestone has gone by now."""
        if fields and not Milestone.objects.filter(pk=self.pk).update(**fields):
            raise Http404
        for name, value in fields.items():
            setattr(self, name, value)

    @retrying_atomic
    def remove(self) -> None:
        """Take it out of the schedule."""
        self.delete()


class ProgressQuerySet(models.QuerySet["Progress"]):
    """Rules about many marks."""

    def of_active_members(self) -> ProgressQuerySet:
        """Marks of those who are in the club now: whoever left, was removed or banned is in no list and no figure."""
        members = Membership.objects.active().filter(club=OuterRef("entry__club"), user=OuterRef("user"))
        return self.filter(Exists(members))

    def shown(self) -> ProgressQuerySet:
        """Marks that count: of active members, and not hidden."""
        return self.of_active_members().filter(hidden=False)

    def visible_to(self, user: User | AnonymousUser) -> ProgressQuerySet:
        """What a member of the club sees: the marks that are not hidden, and their own in any case."""
        return self.of_active_members().filter(Q(hidden=False) | Q(user=user.pk))

    def mean_percent(self, *, of: int) -> Decimal | None:
        """How far a club of `of` members is on the whole, by the marks of one entry: who has none counts as 0, who
        hides theirs counts not at all.

        Two decimals; None where nobody is left to count.
        """
        shown = Coalesce(Sum("percent", filter=Q(hidden=False)), Decimal(0))
        figures = self.of_active_members().aggregate(shown=shown, hidden=Count("pk", filter=Q(hidden=True)))
        counted = of - figures["hidden"]
        return hundredths(Decimal(figures["shown"]) / counted) if counted > 0 else None


class Progress(models.Model):
    """How far a member is in an entry's book: in percent, and as it was sent.

    It may be set whatever the entry's status: readers run ahead of a plan, and finish what the club has dropped.
    Finishing the book is one thing, the club's finishing it another: neither moves the other.
    """

    entry = models.ForeignKey(Entry, models.CASCADE, related_name="marks")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="reading_marks")
    percent = _percent()
    unit = models.CharField(max_length=10, choices=Unit.choices)
    amount = models.DecimalField(max_digits=8, decimal_places=2)
    total = models.PositiveIntegerField(help_text=_("In the same unit; 100 for percent."))
    hidden = models.BooleanField(default=False)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = ProgressQuerySet.as_manager()

    class Meta:
        verbose_name = _("progress")
        verbose_name_plural = _("progress")
        constraints = [
            models.UniqueConstraint(fields=["entry", "user"], name="clubs_progress_once"),
            models.CheckConstraint(condition=Q(percent__range=(0, 100)), name="clubs_progress_percent"),
        ]
        indexes = [models.Index(fields=["entry", "percent"], name="clubs_progress_by_percent")]

    def __str__(self) -> str:
        return f"{self.percent} %"

    @classmethod
    @retrying_atomic
    def set(cls, *, entry: Entry, by: User, mark: Mark, hidden: bool | None = None) -> Progress:
        """Write `by`'s mark; the last of several at once stands. `hidden` None leaves it as it is, first: shown.

        404 where the entry is gone, or the reader no longer in the club, by now.
        """
        # One row that is surely there to queue at: of simultaneous first marks one inserts, the others update.
        if not Membership.objects.active().select_for_update().filter(club=entry.club_id, user=by).first():
            raise Http404
        values = {
            "percent": mark.percent,
            "unit": mark.unit,
            "amount": mark.amount,
            "total": int(mark.total),
            "updated_at": timezone.now(),
        } | ({} if hidden is None else {"hidden": hidden})
        # The entry's figures move too: held before the mark refers to it, or two that do would wait for each other.
        Entry.objects.select_for_update().filter(pk=entry.pk).values_list("pk").first()
        before = cls.objects.filter(entry=entry, user=by).first()
        with gone_unless(entry):
            after = cls.objects.update_or_create(entry=entry, user=by, defaults=values)[0]
        statistics().mark_set(before, after)
        return after


@contextmanager
def gone_unless(entry: Entry) -> Iterator[None]:
    """404 where what is written inside is refused because the entry has been removed meanwhile."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        if Entry.objects.filter(pk=entry.pk).exists():
            raise
        raise Http404 from None
