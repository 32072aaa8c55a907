"""Reading progress of members."""

from __future__ import annotations

import datetime
from copy import copy
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Count, Exists, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.blocks import not_blocked
from activity.changes.models import ChangeType
from activity.changes.services import changes_of, record_changes_of
from activity.services import record_event
from clubs.members.activity import end_pause_by_moderator, recompute_activity, record_activity
from clubs.members.models import Membership
from clubs.reading.choices import HUNDRED_PERCENT, ReadingPosition, Unit, round_percent
from clubs.reading.guards import percent_changes
from clubs.reading.models.consents import SpoilerConsent
from clubs.signals import progress_changed
from core.api.exceptions import InvalidFieldError
from core.db.transactions import atomic_with_retry

if TYPE_CHECKING:
    from accounts.models import User
    from clubs.club.models import Club
    from clubs.reading.models.entries import Entry


def percent_field(**kwargs: Any) -> Any:
    """Return a model field for a percentage with two decimals."""
    limits = [MinValueValidator(0), MaxValueValidator(100)]
    return models.DecimalField(max_digits=5, decimal_places=2, validators=limits, **kwargs)


class ProgressQuerySet(models.QuerySet["Progress"]):
    """Queries for progress."""

    def of_active_members(self) -> ProgressQuerySet:
        """Return the progress of current members. Former and banned members appear in no list and no statistics."""
        members = Membership.objects.active().filter(club=OuterRef("entry__club"), user=OuterRef("user"))
        return self.filter(Exists(members))

    def visible(self) -> ProgressQuerySet:
        """Return progress of active members that is not hidden."""
        return self.of_active_members().filter(hidden=False)

    def visible_to(self, user: User | AnonymousUser) -> ProgressQuerySet:
        """Return what `user`, a member of the club, may see: visible progress and their own."""
        visible = Q(hidden=False) & not_blocked(user, "user")
        return self.of_active_members().filter(visible | Q(user=user.pk))

    def with_spoilers_ok(self) -> ProgressQuerySet:
        """Annotate `spoilers_ok`: whether the user has opened all posts about the book."""
        consents = SpoilerConsent.objects.filter(entry=OuterRef("entry"), user=OuterRef("user"))
        return self.annotate(spoilers_ok=Exists(consents))

    def last_updated_at(self) -> Subquery:
        """Return a subquery, for memberships, of the latest date of visible progress in the club."""
        visible = self.filter(entry__club=OuterRef("club"), user=OuterRef("user"), hidden=False)
        return Subquery(visible.order_by("-updated_at").values("updated_at")[:1])

    def mean_percent(self, club: Club) -> Decimal | None:
        """Return the mean progress in one entry of a club with two decimals, or None if it is nobody's.

        Members without progress count as 0; paused members and those who hide theirs or have stopped are left out.
        """
        counted_members = Membership.objects.not_paused(club).filter(user=OuterRef("user"))
        visible = Coalesce(Sum("percent", filter=Q(hidden=False, stopped=False)), Decimal(0))
        left_out = Count("pk", filter=Q(hidden=True) | Q(stopped=True))
        totals = self.filter(Exists(counted_members)).aggregate(visible=visible, left_out=left_out)
        counted = club.members_count - Membership.objects.paused(club).count() - totals["left_out"]
        return round_percent(Decimal(totals["visible"]) / counted) if counted > 0 else None


class Progress(models.Model):
    """A member's progress in the book of an entry: in percent, and in the unit it was sent in.

    It is independent of the entry's status: members may read ahead of the plan or finish a dropped book.
    """

    entry = models.ForeignKey("clubs.Entry", models.CASCADE, related_name="progress", verbose_name=_("entry"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="reading_progress", verbose_name=_("user")
    )
    percent = percent_field(verbose_name=_("percent"))
    unit = models.CharField(max_length=10, choices=Unit.choices, verbose_name=_("unit"))
    amount = models.DecimalField(max_digits=8, decimal_places=2, verbose_name=_("amount"))
    total = models.PositiveIntegerField(help_text=_("In the same unit; 100 for percent."), verbose_name=_("total"))
    hidden = models.BooleanField(default=False, verbose_name=_("hidden"))
    updated_at = models.DateTimeField(default=timezone.now, verbose_name=_("updated at"))
    finished_on = models.DateField(null=True, blank=True, editable=False, verbose_name=_("finished on"))
    stopped = models.BooleanField(
        default=False,
        db_default=False,
        help_text=_("Whether the user has stopped reading the book."),
        verbose_name=_("stopped"),
    )

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
    @atomic_with_retry
    def set_progress(
        cls,
        *,
        entry: Entry,
        by: User,
        position: ReadingPosition | None = None,
        hidden: bool | None = None,
        stopped: bool | None = None,
        finished_on: datetime.date | None = None,
    ) -> Progress:
        """Save the progress of `by`; the last of concurrent writes wins.

        `hidden=None` keeps the value (default False), `stopped=None` is False with a position. Without a position the
        user stays where they are. Raises Http404 if the entry was deleted or the user left the club in the meantime,
        and InvalidFieldError for values that contradict each other.
        """
        if lock_membership(entry, by).paused_by_moderator:
            end_pause_by_moderator(by.pk, club_id=entry.club_id)
        # The entry's counters change too, so lock it before inserting a row that refers to it, to avoid a deadlock.
        before = entry.lock_with_progress_of(by)
        after = copy(before) if before else cls(user=by)
        if position is None and before is None:
            raise InvalidFieldError("percent", "required", _("You have no progress in this book yet."))
        values: dict[str, Any] = {"updated_at": timezone.now()}
        if position is not None:
            values |= {"percent": position.percent, "unit": position.unit, "amount": position.amount}
            values |= {"total": int(position.total), "stopped": False}
        values |= {} if hidden is None else {"hidden": hidden}
        values |= {} if stopped is None else {"stopped": stopped}
        after.entry, after.user = entry, by
        for name, value in values.items():
            setattr(after, name, value)
        after.spoilers_ok = entry.locked_spoilers_ok  # type: ignore[attr-defined]  # as `with_spoilers_ok` adds it
        after._finish(finished_on)
        after.save(update_fields=[*values, "finished_on"] if before else None)
        after._update_activity(before)
        progress_changed.send(Progress, user=by, entry=entry, before=before, after=after)
        after._record_changes(before.percent if before else Decimal(0), after.percent)
        # Without a club, so that it appears only in the user's own log: others see progress only while it is visible.
        record_event("progress.set", actor=by.pk, object_ref=entry.object_ref)
        return after

    @classmethod
    @atomic_with_retry
    def delete_progress(cls, *, entry: Entry, by: User) -> None:
        """Delete the progress of `by`, if there is any, as if it had never been set."""
        lock_membership(entry, by)
        before = entry.lock_with_progress_of(by)
        if before is None:
            return
        before.entry, before.user = entry, by
        Progress.objects.filter(pk=before.pk).delete()
        if not before.hidden:
            recompute_activity([by.pk], club_id=entry.club_id)
        progress_changed.send(Progress, user=by, entry=entry, before=before, after=None)
        before._record_changes(before.percent, Decimal(0))
        record_event("progress.deleted", actor=by.pk, object_ref=entry.object_ref)

    @property
    def is_finished(self) -> bool:
        """Whether the user has read the whole book."""
        return self.percent == HUNDRED_PERCENT

    def _finish(self, finished_on: datetime.date | None) -> None:
        """Set `finished_on` of a finished book: the given day, or the day it has, or today in the user's time zone."""
        if not self.is_finished:
            if finished_on is not None:
                raise InvalidFieldError("finished_on", "not_finished", _("Only a finished book has this date."))
            self.finished_on = None
            return
        if self.stopped:
            raise InvalidFieldError("stopped", "finished", _("You have finished this book."))
        today = timezone.localdate(timezone=ZoneInfo(self.user.timezone))
        if finished_on is not None and finished_on > today:
            raise InvalidFieldError("finished_on", "in_future", _("This date is in the future."))
        # Sending 100 % again does not move the book to another year.
        self.finished_on = finished_on or self.finished_on or today

    def _record_changes(self, before: Decimal, after: Decimal) -> None:
        """Record that the entry has changed for the user, and what else looks different with this progress."""
        own = type(self.entry).objects.filter(pk=self.entry_id)
        guarded = percent_changes(self.user_id, [self.entry_id], before, after)
        record_changes_of(changes_of(own, ChangeType.ENTRY, user=self.user_id), *guarded)

    def _update_activity(self, before: Progress | None) -> None:
        """Update the member's `last_active_at`. The membership must be locked."""
        if not self.hidden:
            record_activity(self.user_id, club_id=self.entry.club_id, at=self.updated_at)
        elif before is not None and not before.hidden:
            recompute_activity([self.user_id], club_id=self.entry.club_id)


def lock_membership(entry: Entry, user: User) -> Membership:
    """Lock the membership of `user` and return it. Raises Http404 if the user has left the club.

    The row exists even before the first progress, so that of concurrent first writes one inserts and the others update.
    """
    membership = Membership.objects.active().select_for_update().filter(club=entry.club_id, user=user).first()
    if membership is None:
        raise Http404
    return membership
