"""How far members are in a book."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Count, Exists, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.blocks import unblocked
from activity.services import record
from bookbridge.api.transactions import retrying_atomic
from clubs.members.models import Membership
from clubs.members.services import was_active, was_not_active
from clubs.reading.rules import Mark, Unit, hundredths
from clubs.signals import progress_changed

if TYPE_CHECKING:
    from accounts.models import User
    from clubs.reading.models import Entry


def percent_field(**kwargs: Any) -> Any:
    """A column of percents with two decimals."""
    limits = [MinValueValidator(0), MaxValueValidator(100)]
    return models.DecimalField(max_digits=5, decimal_places=2, validators=limits, **kwargs)


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
        shown = Q(hidden=False) & unblocked(user, "user")
        return self.of_active_members().filter(shown | Q(user=user.pk))

    def last_shown(self) -> Subquery:
        """In a query of memberships: when the reader last set a mark in the club that they show."""
        shown = self.filter(entry__club=OuterRef("club"), user=OuterRef("user"), hidden=False)
        return Subquery(shown.order_by("-updated_at").values("updated_at")[:1])

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

    entry = models.ForeignKey("clubs.Entry", models.CASCADE, related_name="marks")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="reading_marks")
    percent = percent_field()
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
        entry.hold()
        before = cls.objects.filter(entry=entry, user=by).first()
        with entry.or_gone():
            after = cls.objects.update_or_create(entry=entry, user=by, defaults=values)[0]
        after._note_activity(before)
        progress_changed.send(Progress, before=before, after=after)
        # In the reader's own log alone: how somebody gets on is shown by marks, for as long as they show them.
        record("progress.set", actor=by.pk, thing=entry.thing)
        return after

    def _note_activity(self, before: Progress | None) -> None:
        """Move when the member was last active. The caller holds the membership."""
        if not self.hidden:
            was_active(self.user_id, club=self.entry.club_id, at=self.updated_at)
        elif before is not None and not before.hidden:
            was_not_active([self.user_id], club=self.entry.club_id)
