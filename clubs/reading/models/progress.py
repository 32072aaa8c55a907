"""Reading progress of members."""

from __future__ import annotations

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
from clubs.signals import progress_changed
from core.db.transactions import atomic_with_retry
from core.registry import progress_changes

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

    def last_updated_at(self) -> Subquery:
        """Return a subquery, for memberships, of the latest date of visible progress in the club."""
        visible = self.filter(entry__club=OuterRef("club"), user=OuterRef("user"), hidden=False)
        return Subquery(visible.order_by("-updated_at").values("updated_at")[:1])

    def mean_percent(self, club: Club) -> Decimal | None:
        """Return the mean progress in one entry of a club with two decimals, or None if it is nobody's.

        Members without progress count as 0; paused members and those who hide theirs are left out.
        """
        counted_members = Membership.objects.not_paused(club).filter(user=OuterRef("user"))
        visible = Coalesce(Sum("percent", filter=Q(hidden=False)), Decimal(0))
        hidden = Count("pk", filter=Q(hidden=True))
        totals = self.filter(Exists(counted_members)).aggregate(visible=visible, hidden=hidden)
        counted = club.members_count - Membership.objects.paused(club).count() - totals["hidden"]
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
    def set_progress(cls, *, entry: Entry, by: User, position: ReadingPosition, hidden: bool | None = None) -> Progress:
        """Save the progress of `by`; the last of concurrent writes wins. `hidden=None` keeps the value (default False).

        Raises Http404 if the entry was deleted or the user left the club in the meantime.
        """
        # Lock a row that exists even before the first write, so that of concurrent first writes one inserts and the
        # others update.
        members = Membership.objects.active().select_for_update()
        membership = members.filter(club=entry.club_id, user=by).first()
        if membership is None:
            raise Http404
        if membership.paused_by_moderator:
            end_pause_by_moderator(by.pk, club_id=entry.club_id)
        values = {
            "percent": position.percent,
            "unit": position.unit,
            "amount": position.amount,
            "total": int(position.total),
            "updated_at": timezone.now(),
        } | ({} if hidden is None else {"hidden": hidden})
        # The entry's counters change too, so lock it before inserting a row that refers to it, to avoid a deadlock.
        before = entry.lock_with_progress_of(by)
        after = copy(before) if before else cls(user=by)
        # Sending 100 % again does not move the book to another year.
        finished_on = after.finished_on or timezone.localdate(timezone=ZoneInfo(by.timezone))
        values["finished_on"] = finished_on if position.percent == HUNDRED_PERCENT else None
        after.entry = entry
        for name, value in values.items():
            setattr(after, name, value)
        after.save(update_fields=values if before else None)
        after._update_activity(before)
        progress_changed.send(Progress, before=before, after=after)
        after._record_changes(before)
        # Without a club, so that it appears only in the user's own log: others see progress only while it is visible.
        record_event("progress.set", actor=by.pk, object_ref=entry.object_ref)
        return after

    def _record_changes(self, before: Progress | None) -> None:
        """Record that the entry has changed for the user, and what else looks different with this progress."""
        own = type(self.entry).objects.filter(pk=self.entry_id)
        queries = [changes_of(own, ChangeType.ENTRY, user=self.user_id)]
        for query in progress_changes.values():
            queries += query(self, before)
        record_changes_of(*queries)

    def _update_activity(self, before: Progress | None) -> None:
        """Update the member's `last_active_at`. The membership must be locked."""
        if not self.hidden:
            record_activity(self.user_id, club_id=self.entry.club_id, at=self.updated_at)
        elif before is not None and not before.hidden:
            recompute_activity([self.user_id], club_id=self.entry.club_id)
