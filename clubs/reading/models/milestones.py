"""Reading schedules."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from activity.changes.models import ChangeType
from activity.changes.services import record_change
from activity.models import ObjectRef
from activity.services import record_event
from clubs.reading.choices import HUNDRED_PERCENT
from clubs.reading.models.progress import percent_field
from clubs.reading.models.sections import Section
from clubs.reading.tasks import notify_milestone_due
from core.db.transactions import atomic_with_retry

if TYPE_CHECKING:
    from accounts.models import User
    from clubs.club.models import Club
    from clubs.reading.models.entries import Entry

MAX_CHAPTERS = 10_000
# When members are notified on the day before, in the club's time zone.
NOTICE_TIME = datetime.time(9)


class MilestoneQuerySet(models.QuerySet["Milestone"]):
    """Queries for milestones."""

    def with_goal(self) -> MilestoneQuerySet:
        """Annotate `goal` in percent. That of a chapter is the end of the section with its number, or NULL."""
        section = Section.objects.filter(entry=OuterRef("entry"), number=OuterRef("up_to_chapter"))
        return self.annotate(goal=Coalesce("up_to_percent", Subquery(section.values("up_to_percent"))))

    def percent_due(self, today: datetime.date) -> Decimal | None:
        """Return the percentage due for one entry: the goal of the latest milestone that is due.

        It is 0 if none is due yet and None if no milestone has a goal in percent. The highest goal of a day counts.
        """
        due = Case(When(due_on__lte=today, then=Value(1)), default=Value(0))
        latest = (
            self.with_goal()
            .filter(goal__isnull=False)  # type: ignore[misc]  # an annotation
            .annotate(due=due)
            .order_by("-due", "-due_on", "-goal")
            .values_list("due", "goal")
            .first()
        )
        return latest and (latest[1] if latest[0] else Decimal(0))


class Milestone(models.Model):
    """A step of the schedule: read up to a percentage or a chapter by `due_on`, in the club's time zone."""

    entry = models.ForeignKey("clubs.Entry", models.CASCADE, related_name="milestones", verbose_name=_("entry"))
    title = models.CharField(max_length=200, verbose_name=_("title"))
    up_to_percent = percent_field(null=True, blank=True, verbose_name=_("up to percent"))
    up_to_chapter = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_CHAPTERS)],
        verbose_name=_("up to chapter"),
    )
    due_on = models.DateField(verbose_name=_("due on"))

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
        # Not the title: the admin shows this, and staff must not see the content of private clubs.
        return f"#{self.pk}"

    @classmethod
    @atomic_with_retry
    def create_milestone(cls, *, entry: Entry, by: User | None = None, **fields: Any) -> Milestone:
        """Add a milestone to an entry. Raises Http404 if the entry was deleted."""
        with entry.not_found_if_deleted():
            milestone = cls.objects.create(entry=entry, **fields)
        milestone.schedule_notice(entry.club)
        milestone._record_event("milestone.created", by)
        return milestone

    @atomic_with_retry
    def update_milestone(self, *, by: User | None = None, **fields: Any) -> None:
        """Update fields. Raises Http404 if the milestone was deleted."""
        changed = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if fields and not Milestone.objects.filter(pk=self.pk).update(**fields):
            raise Http404
        for name, value in fields.items():
            setattr(self, name, value)
        if "due_on" in changed:
            self.schedule_notice(self.entry.club)
        if changed:
            self._record_event("milestone.changed", by)

    @atomic_with_retry
    def delete_milestone(self, *, by: User | None = None) -> None:
        """Delete the milestone and record the event."""
        object_ref = self.object_ref
        pk = self.pk
        if self.delete()[0]:
            actor = by.pk if by else None
            self._record_change(pk, deleted=True)
            record_event("milestone.deleted", actor=actor, object_ref=object_ref, club=self.entry.club_id)

    def schedule_notice(self, club: Club) -> None:
        """Schedule the notification of the day before; an outdated one stays scheduled, and is skipped then."""
        day_before = self.due_on - datetime.timedelta(1)
        if day_before >= club.today:
            at = datetime.datetime.combine(day_before, NOTICE_TIME, ZoneInfo(club.timezone))
            # One that becomes known on the day before does not wait.
            run_after = at if day_before > club.today else timezone.now()
            task = notify_milestone_due.using(run_after=run_after)
            task.enqueue(milestone_id=self.pk, due_on=self.due_on.isoformat())

    def users_past(self) -> list[int]:
        """Return the users (ids) who have read as far as this milestone; for a chapter, the whole book."""
        goal = HUNDRED_PERCENT if self.up_to_percent is None else self.up_to_percent
        return list(self.entry.progress.filter(percent__gte=goal).values_list("user", flat=True))

    @property
    def object_ref(self) -> ObjectRef:
        """Reference to the milestone for events and notifications."""
        return ObjectRef("milestone", self.pk, self.title)

    def _record_change(self, pk: int, *, deleted: bool = False) -> None:
        club, entry = self.entry.club_id, self.entry_id
        record_change(ChangeType.MILESTONE, pk, club=club, parent_id=entry, deleted=deleted)

    def _record_event(self, verb: str, by: User | None) -> None:
        self._record_change(self.pk)
        record_event(verb, actor=by.pk if by else None, object_ref=self.object_ref, club=self.entry.club_id)
