"""Memberships. Every change of a membership locks the club first (`Club.lock`)."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Count
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.blocks import not_blocked
from accounts.models import User
from activity.changes.models import ChangeType
from activity.changes.services import record_change
from activity.choices import NotificationKind
from activity.messages import DeferredMessage, date_message
from activity.models import ClubNotificationPreference, Notification
from activity.services import notify, record_event
from clubs.club.models import Club
from clubs.members.models.pauses import NOT_PAUSED, PauseColumns, check_pause_end, paused_on
from clubs.roles import OWNER, MembershipStatus, Rank, Role, permission_denied
from clubs.signals import member_left, membership_changed
from core.api.exceptions import Conflict, PermissionDeniedProblem
from core.db.locking import batched, lock_rows
from core.db.transactions import atomic_with_retry
from core.registry import activity_sources

# Rows per UPDATE statement.
BATCH_SIZE = 500

Moment = datetime.datetime | None


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Queries for memberships."""

    def active(self) -> MembershipQuerySet:
        """Return the memberships of current members."""
        return self.filter(status=MembershipStatus.ACTIVE)

    def paused(self, club: Club) -> MembershipQuerySet:
        """Return the paused memberships of a club."""
        return self.active().filter(paused_on(club.today), club=club)

    def not_paused(self, club: Club) -> MembershipQuerySet:
        """Return the memberships of a club's members who take part."""
        return self.active().filter(~paused_on(club.today), club=club)

    def not_blocked_for(self, user: User) -> MembershipQuerySet:
        """Exclude members who have blocked `user` or are blocked by them."""
        return self.filter(not_blocked(user, "user"))

    def count_by_club(self, clubs: Sequence[int]) -> dict[int, dict[str, int]]:
        """Return the expected `members_count` of these clubs, where it is not 0."""
        counts = self.active().filter(club__in=clubs).order_by().values_list("club").annotate(n=Count("pk"))
        return {club: {"members_count": n} for club, n in counts}

    def exclude_left(self) -> MembershipQuerySet:
        """Exclude former members. The rest is visible to moderators."""
        return self.exclude(status=MembershipStatus.LEFT)

    def refresh_last_active(self, memberships: Sequence[int]) -> None:
        """Recompute `last_active_at`. The rows must be locked, or not in use by anyone else."""
        for pks in batched(memberships, BATCH_SIZE):
            rows = self._compare_last_active(pks)
            changed = [Membership(pk=pk, last_active_at=at) for pk, stored, at in rows if stored != at]
            self.bulk_update(changed, ["last_active_at"])

    def expected_last_active(self, memberships: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Return the expected `last_active_at` of these memberships, where it is not None."""
        return {pk: {"last_active_at": at} for pk, _stored, at in self._compare_last_active(memberships) if at}

    def _compare_last_active(self, memberships: Sequence[int]) -> Iterator[tuple[int, Moment, Moment]]:
        """Yield the id, the stored value and the expected value of these memberships."""
        rows = self.filter(pk__in=memberships).order_by()
        sources = {f"last_{name}": source() for name, source in activity_sources.items()}
        for pk, stored, *moments in rows.annotate(**sources).values_list("pk", "last_active_at", *sources):
            yield pk, stored, max((moment for moment in moments if moment), default=None)

    def pause_all(self, memberships: Sequence[Membership], *, by: User) -> None:
        """Pause memberships of one club until somebody ends the pause, and notify the users.

        Does the same as `Membership.set_pause` by a moderator, with a constant number of statements. The users and the
        club must be locked, the memberships must be active, and `by` must outrank their users.
        """
        rows = [row for row in memberships if not (row.is_paused and row.paused_by_moderator) or row.paused_until]
        if not rows:
            return
        club, now = rows[0].club, timezone.now()
        self.filter(pk__in=[row.pk for row in rows if not row.is_paused]).update(paused_since=now)
        columns = {"paused_until": None, "paused_by_moderator": True, "updated_at": now}
        self.filter(pk__in=[row.pk for row in rows]).update(**columns)
        club.record_member_events("member.paused", by=by, subjects=[row.user for row in rows])
        notify(
            NotificationKind.PAUSED,
            [row.user_id for row in rows],
            actor=by.pk,
            object_ref=club.object_ref,
            club=club.pk,
            detail=DeferredMessage("pause"),
        )

    @atomic_with_retry
    def remove_user_everywhere(self, user: User) -> None:
        """Remove a deleted account from all its clubs and delete its memberships.

        A club it owns is transferred to its longest-serving active moderator, or else member. If there is none, it is
        deleted.
        """
        # Ordered by club, so that two concurrent deletions lock shared clubs in the same order.
        lock_rows(User, [user.pk])
        for row in self.filter(user=user).select_related("club").order_by("club"):
            try:
                row.lock()
            except Http404:
                continue  # The club was deleted in the meantime.
            if row.club.owner_id == user.pk:
                others = row.club.memberships.active().exclude(user=user).select_related("user")
                new_owner = others.order_by(*SENIORITY).first()
                if new_owner is None:
                    row.club.delete_locked(by=user)
                    continue
                row.club.set_owner(new_owner.user, by=user)
            if row.status == MembershipStatus.ACTIVE:
                row.record_event("member.left", by=user)
            row.deactivate()
        self.filter(user=user).delete()


class Membership(PauseColumns):
    """Membership of a user in a club. The owner's role is stored on the club."""

    club = models.ForeignKey(Club, models.CASCADE, related_name="memberships", verbose_name=_("club"))
    # Not CASCADE, which would bypass the club's member counter (see `remove_user_everywhere`).
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="memberships", verbose_name=_("user")
    )
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)
    status = models.CharField(max_length=10, choices=MembershipStatus.choices, verbose_name=_("status"))
    joined_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text=_("When the user last joined; empty before that."),
        verbose_name=_("joined at"),
    )
    message = models.CharField(
        max_length=500, blank=True, help_text=_("Message of the join request."), verbose_name=_("message")
    )
    updated_at = models.DateTimeField(default=timezone.now, editable=False, verbose_name=_("updated at"))
    # The change with which the user last joined, after which they get all earlier ones of the club.
    joined_change = models.BigIntegerField(default=0, editable=False)
    # Written only by `clubs.members.activity`.
    last_active_at = models.DateTimeField(
        null=True, editable=False, help_text=_("Time of the last activity that other members can see.")
    )

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        indexes = [
            models.Index(fields=["club", "status", "joined_at", "id"], name="clubs_membership_by_status"),
            models.Index(fields=["club", "status", "last_active_at"], name="clubs_membership_by_activity"),
            models.Index(fields=["club", "paused_since"], name="clubs_membership_paused"),
            models.Index(fields=["user", "status"], name="clubs_membership_by_user"),
            # For the admin, which filters by status across clubs.
            models.Index(fields=["status", "id"], name="clubs_membership_status"),
        ]
        constraints = [models.UniqueConstraint(fields=["club", "user"], name="clubs_membership_once")]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def effective_role(self) -> str:
        """Role in responses: `owner`, `moderator` or `member`."""
        return OWNER if self.club.owner_id == self.user_id else self.role

    @property
    def rank(self) -> Rank:
        """Rank of the user in the club."""
        return Rank.for_membership(self.status, self.effective_role)

    @property
    def is_paused(self) -> bool:
        """Whether the membership is paused today."""
        return self.is_paused_on(self.club.today)

    @property
    def pause(self) -> dict[str, Any]:
        """The pause as responses show it, with nulls if the membership is not paused."""
        is_paused = self.is_paused
        return {
            "since": self.paused_since if is_paused else None,
            "until": self.paused_until if is_paused else None,
        }

    @atomic_with_retry
    def update_membership(self, *, by: User | None, status: str | None = None, role: str | None = None) -> None:
        """Approve (`active`), ban (`banned`), or change the role, which only the owner may; `by` is None for staff.

        Raises PermissionDeniedProblem unless `by` outranks the user; Conflict `club_full`, `not_pending` or
        `not_a_member`.
        """
        acting_rank, old_status = self._lock_and_authorize(by), self.status
        if self.status == MembershipStatus.LEFT and status != MembershipStatus.BANNED:
            raise Http404
        if role is not None and acting_rank < Rank.OWNER:
            raise permission_denied(Rank.OWNER)
        if status == MembershipStatus.ACTIVE:
            self._approve()
            if old_status == MembershipStatus.PENDING:
                self.record_event("member.accepted", by=by)
                self._notify(NotificationKind.JOIN_ACCEPTED, by)
        elif status == MembershipStatus.BANNED:
            self.deactivate(to=MembershipStatus.BANNED)
            if old_status != MembershipStatus.BANNED:
                self.record_event("member.banned", by=by)
        if role is not None and role != self.role:
            if self.status != MembershipStatus.ACTIVE:
                text = _("Only a member of the club can have a role.")
                raise Conflict("not_a_member", text, user=self.user.summary)
            self._update_fields(role=role)
            self._record_change()
            self.record_event("member.role_changed", by=by)
            self._notify(NotificationKind.ROLE_CHANGED, by, DeferredMessage("role", role))

    @atomic_with_retry
    def remove(self, *, by: User | None) -> None:
        """Reject a join request, remove a member or lift a ban; `by` is None for staff.

        Raises PermissionDeniedProblem unless `by` outranks the user.
        """
        self._lock_and_authorize(by)
        if self.status == MembershipStatus.LEFT:
            raise Http404
        self.record_event(REMOVAL_VERBS[MembershipStatus(self.status)], by=by)
        self.deactivate()

    @atomic_with_retry
    def set_pause(self, *, by: User, until: datetime.date | None) -> None:
        """Pause the membership until the end of a day, or until somebody ends the pause.

        Members pause themselves; moderators pause members whom they outrank, who are notified. A pause that is changed
        keeps its beginning. Raises InvalidFieldError for the day, PermissionDeniedProblem, and Http404 unless the user
        is a member.
        """
        self._lock_for_pause(by)
        if until is not None:
            check_pause_end(until, today=self.club.today)
        before, is_own = self.pause | {"by_moderator": self.paused_by_moderator}, by.pk == self.user_id
        since = before["since"] or timezone.now()
        if before == {"since": since, "until": until, "by_moderator": not is_own}:
            return
        self._update_fields(paused_since=since, paused_until=until, paused_by_moderator=not is_own)
        self._record_pause_event("member.paused", by)
        if not is_own:
            self._notify(NotificationKind.PAUSED, by, date_message(until) if until else DeferredMessage("pause"))

    @atomic_with_retry
    def end_pause(self, *, by: User) -> None:
        """End the pause, if there is one. Raises PermissionDeniedProblem or Http404 as `set_pause` does."""
        self._lock_for_pause(by)
        was_paused = self.is_paused
        if self.paused_since is not None:
            self._update_fields(**NOT_PAUSED)
        if was_paused:
            self._record_pause_event("member.resumed", by)

    def lock(self) -> None:
        """Lock the user and the club, and reload the club and the membership. Raises Http404 if either was deleted."""
        self.club.lock(with_user=self.user)
        try:
            self.refresh_from_db(fields=["role", "status", "joined_at", "message", *NOT_PAUSED])
        except Membership.DoesNotExist:
            raise Http404 from None

    def request_to_join(self, message: str) -> None:
        """Save a join request and notify owner and moderators. The club must be locked."""
        self._update_fields(status=MembershipStatus.PENDING, message=message)
        self.record_event("member.asked", by=self.user)
        moderators = self.club.memberships.active().filter(role=Role.MODERATOR).values_list("user", flat=True)
        notify(
            NotificationKind.JOIN_REQUEST,
            [self.club.owner_id, *moderators],
            actor=self.user_id,
            object_ref=self.club.object_ref,
            club=self.club_id,
            # At most one notification per user and day.
            key=f"join_request:{self.club_id}:{self.user_id}:{timezone.now():%Y-%m-%d}",
        )

    def activate(self, *, joined_change: int | None = None) -> None:
        """Make the user a member. User and club must be locked. Raises Conflict `club_full`.

        `joined_change` is the change that created the club; any other join is a change of its own.
        """
        self.club.check_not_full()
        self.club._change_members_count(+1)
        joined_change = joined_change or self._record_change()
        joined = {"joined_at": timezone.now(), "joined_change": joined_change, **NOT_PAUSED}
        self._update_fields(status=MembershipStatus.ACTIVE, role=Role.MEMBER, message="", **joined)
        membership_changed.send(Membership, club=self.club, user_id=self.user_id, sign=+1)

    def deactivate(self, *, to: str = MembershipStatus.LEFT) -> None:
        """End the membership. A row without former membership is deleted. User and club must be locked."""
        was_active = self.status == MembershipStatus.ACTIVE
        if was_active:
            self.club._change_members_count(-1)
        if to == MembershipStatus.LEFT and self.joined_at is None:
            self.delete()
        elif self.status != to:
            self._update_fields(status=to, role=Role.MEMBER, message="", **NOT_PAUSED)
        if was_active:
            membership_changed.send(Membership, club=self.club, user_id=self.user_id, sign=-1)
            member_left.send(Membership, club_id=self.club_id, user_id=self.user_id)
        ClubNotificationPreference.objects.filter(user=self.user_id, club=self.club_id).delete()
        # The tombstone of the club stands for those of the notifications.
        if Notification.objects.filter(user=self.user_id, club=self.club_id).delete()[0] or was_active:
            self._record_change(deleted=True)

    def record_event(self, verb: str, *, by: User | None) -> None:
        """Record what `by` (None for staff) did to the membership."""
        self.club.record_event(verb, by=by, subject=self.user)

    def _notify(self, kind: NotificationKind, by: User | None, detail: str | DeferredMessage = "") -> None:
        """Notify the user."""
        actor = by.pk if by else None
        notify(kind, [self.user_id], actor=actor, object_ref=self.club.object_ref, club=self.club_id, detail=detail)

    def _record_change(self, *, deleted: bool = False) -> int:
        """Record that the club has changed for the user, and return the id of the change."""
        return record_change(ChangeType.CLUB, self.club_id, club=self.club_id, user=self.user_id, deleted=deleted).pk

    def _lock_for_pause(self, by: User) -> None:
        """Lock the rows and check that `by` is the user or outranks them, and that the user is a member."""
        if by.pk == self.user_id:
            self.lock()
        else:
            self._lock_and_authorize(by)
        if self.status != MembershipStatus.ACTIVE:
            raise Http404

    def _record_pause_event(self, verb: str, by: User) -> None:
        """Record the event. That members pause themselves appears in their own log only."""
        if by.pk == self.user_id:
            record_event(verb, actor=by.pk, object_ref=self.club.object_ref)
        else:
            self.record_event(verb, by=by)

    def _approve(self) -> None:
        if self.status == MembershipStatus.BANNED:
            text = _("This user is banned; lift the ban first.")
            raise Conflict("not_pending", text, user=self.user.summary)
        if self.status == MembershipStatus.PENDING:
            self.activate()

    def _lock_and_authorize(self, by: User | None) -> Rank:
        """Lock the rows and return the rank of `by`, which for staff is that of the owner.

        Raises PermissionDeniedProblem unless `by` is a moderator who outranks the user.
        """
        self.lock()
        acting_rank = Rank.OWNER if by is None else self.club.rank_of(by)
        if acting_rank < Rank.MODERATOR:
            raise permission_denied(Rank.MODERATOR)
        self.require_outranked(acting_rank)
        return acting_rank

    def require_outranked(self, acting_rank: Rank) -> None:
        """Raise PermissionDeniedProblem unless `acting_rank` is above that of the user."""
        if self.rank >= acting_rank:
            raise PermissionDeniedProblem("not_above", _("You can only manage members with a lower role than yours."))

    def _update_fields(self, **fields: object) -> None:
        """Save only these columns, or insert the row."""
        for name, value in {**fields, "updated_at": timezone.now()}.items():
            setattr(self, name, value)
        if self.pk is None:
            self.save(force_insert=True)
            Membership.objects.refresh_last_active([self.pk])
        else:
            self.save(update_fields=[*fields, "updated_at"])


# Event verb of a removal, by the previous status.
REMOVAL_VERBS = {
    MembershipStatus.PENDING: "member.refused",
    MembershipStatus.ACTIVE: "member.removed",
    MembershipStatus.BANNED: "member.unbanned",
}
# Moderators before members, then by date of joining.
SENIORITY = (models.Case(models.When(role=Role.MODERATOR, then=0), default=1), "joined_at", "id")
