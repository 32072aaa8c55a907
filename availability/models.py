"""Whether the members of a club can get the book of an entry, and who lends it.

Answers are private: a user sees only their own answer, the copies that members offer to lend, and the number of each
answer. Club events, changes, dates and activity must not reveal who gave an answer either. The numbers are shown only
if at least MIN_MEMBERS members count.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Count, Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from accounts.blocks import blocked_ids, not_blocked
from accounts.models import User
from activity.services import record_event
from clubs.club.models import Club
from clubs.members.models import Membership
from clubs.reading.models import Entry, lock_membership
from core.api.exceptions import InvalidFieldError, PermissionDeniedProblem
from core.db.locking import lock_rows
from core.db.transactions import atomic_with_retry

MIN_MEMBERS = 3
MAX_LENDERS = 100


class AccessAnswer(models.TextChoices):
    """Whether a member can get a book."""

    HAVE = "have", _("has it")
    CAN = "can", _("can get it")
    CANNOT = "cannot", _("cannot get it")


class BookFormat(models.TextChoices):
    """Format of a member's book."""

    PAPER = "paper", _("paper")
    EBOOK = "ebook", _("e-book")
    AUDIO = "audio", _("audiobook")
    ACCESSIBLE = "accessible", _("accessible format")


class AvailabilityQuerySet(models.QuerySet["Availability"]):
    """Queries for answers."""

    def of_counted_members(self, club: Club) -> AvailabilityQuerySet:
        """Return the answers of the club's members who are not paused."""
        members = Membership.objects.not_paused(club).filter(user=OuterRef("user"))
        return self.filter(Exists(members))

    def lenders(self, viewer: User | AnonymousUser) -> AvailabilityQuerySet:
        """Return the offers to lend that `viewer` may see, by username.

        Leaves out copies that are lent to a user whom a block hides from the viewer.
        """
        offers = self.filter(not_blocked(viewer, "user"), not_blocked(viewer, "lent_to"), lends=True)
        return offers.select_related("user", "lent_to").order_by("user__username")

    def count_answers(self, entry: Entry) -> dict[str, Any]:
        """Return the number of each answer and format, or None for each if fewer than MIN_MEMBERS members count."""
        members = Membership.objects.not_paused(entry.club).count()
        if members < MIN_MEMBERS:
            return dict.fromkeys((*AccessAnswer.values, "unanswered", "formats"))
        answers = self.filter(entry=entry).of_counted_members(entry.club)
        counts: dict[str, Any] = dict.fromkeys(AccessAnswer.values, 0)
        formats = dict.fromkeys(BookFormat.values, 0)
        for answer, book_format, n in answers.order_by().values_list("answer", "format").annotate(n=Count("pk")):
            counts[answer] += n
            # The format of a member who cannot get the book could identify them.
            if book_format and answer != AccessAnswer.CANNOT:
                formats[book_format] += n
        return {**counts, "unanswered": members - sum(counts.values()), "formats": formats}

    def unreachable(self, *, club: Club, entries: Collection[int], max_percent: int) -> set[int]:
        """Return the entries that more than `max_percent` of a club's members cannot get.

        Paused members do not count. Returns an empty set if fewer than MIN_MEMBERS members count. Lock the club first.
        """
        members = Membership.objects.not_paused(club).count()
        if members < MIN_MEMBERS:
            return set()
        answers = self.filter(entry__in=entries, answer=AccessAnswer.CANNOT).of_counted_members(club)
        counts = answers.order_by().values_list("entry").annotate(n=Count("pk"))
        return {entry for entry, n in counts if n * 100 > max_percent * members}


class Availability(models.Model):
    """Whether a member can get the book of an entry. It is deleted when the member leaves the club."""

    entry = models.ForeignKey(Entry, models.CASCADE, related_name="+", db_index=False, verbose_name=_("entry"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("user"))
    answer = models.CharField(max_length=10, choices=AccessAnswer.choices, verbose_name=_("answer"))
    format = models.CharField(max_length=10, choices=BookFormat.choices, blank=True, verbose_name=_("format"))
    lends = models.BooleanField(default=False, verbose_name=_("lends it"))
    lent_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("lent to")
    )

    objects = AvailabilityQuerySet.as_manager()

    class Meta:
        verbose_name = _("availability")
        verbose_name_plural = _("availability")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["entry", "user"], name="availability_once"),
            models.CheckConstraint(
                condition=Q(lends=False) | Q(answer=AccessAnswer.HAVE), name="availability_lender_has_it"
            ),
        ]
        indexes = [models.Index(fields=["entry", "lends"], name="availability_lenders")]

    def __str__(self) -> str:
        # The answer is left out because staff may not see it.
        return f"#{self.pk}"

    @classmethod
    @atomic_with_retry
    def set_answer(cls, *, entry: Entry, by: User, **values: Any) -> Availability:
        """Save the answer of `by`; the last concurrent write wins. Withdrawing the offer to lend also clears `lent_to`.

        Raises Http404 if the entry was deleted or the user left the club in the meantime.
        """
        row = cls._lock(entry, by) or cls(entry=entry, user=by)
        for name, value in values.items():
            setattr(row, name, value)
        if not row.lends:
            row.lent_to = None
        row.save()
        # Without a club, so that it appears only in the user's own log.
        record_event("access.answered", actor=by.pk, object_ref=entry.object_ref)
        return row

    @classmethod
    @atomic_with_retry
    def delete_answer(cls, *, entry: Entry, by: User) -> None:
        """Delete the answer of `by`, if any. Raise the same errors as `set_answer`."""
        row = cls._lock(entry, by)
        if row is not None:
            row.delete()
            record_event("access.withdrawn", actor=by.pk, object_ref=entry.object_ref)

    @classmethod
    @atomic_with_retry
    def lend(cls, *, entry: Entry, by: User, to: int | None) -> Availability:
        """Record that `by` has lent their copy to a member, or that it was returned if `to` is None.

        Raises PermissionDeniedProblem `lender_only`, and InvalidFieldError `yourself` or `not_a_member`.
        """
        # Removing a member locks the user, so `to` stays a member.
        lock_rows(User, [to])
        row = cls._lock(entry, by)
        if row is None or not row.lends:
            raise PermissionDeniedProblem("lender_only", _("Only a member who lends the book may do this."))
        if to == by.pk:
            raise InvalidFieldError("to", "yourself", _("You cannot lend a book to yourself."))
        if to is not None and not cls._is_visible_member(entry, to, by):
            raise InvalidFieldError("to", "not_a_member", _("This user is not a member of the club."))
        row.lent_to_id = to
        row.save(update_fields=["lent_to"])
        record_event("access.lent" if to else "access.returned", actor=by.pk, object_ref=entry.object_ref)
        return row

    @staticmethod
    def _is_visible_member(entry: Entry, user: int, viewer: User) -> bool:
        is_member = Membership.objects.active().filter(club=entry.club_id, user=user).exists()
        return is_member and not blocked_ids([user], viewer.pk)

    @classmethod
    def _lock(cls, entry: Entry, user: User) -> Availability | None:
        """Lock the membership and the entry, and return the user's answer, if any."""
        # Progress locks the membership too: it exists even before there is an answer.
        lock_membership(entry, user)
        entry.lock()
        return cls.objects.filter(entry=entry, user=user).select_related("lent_to").first()
