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

from accounts.blocks import unblocked
from accounts.models import User
from activity.details import Said
from activity.kinds import Kind
from activity.models import Notification
from activity.services import notify
from bookbridge.api.errors import Conflict, Forbidden
from bookbridge.api.registry import activity_sources
from bookbridge.api.rows import batches, hold
from bookbridge.api.transactions import retrying_atomic
from clubs.clubs.models import Club
from clubs.roles import OWNER, Role, Standing, Status, refusal
from clubs.signals import member_left, membership_changed

# Rows per UPDATE statement.
BATCH = 500

Moment = datetime.datetime | None


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Queries for memberships."""

    def active(self) -> MembershipQuerySet:
        """Return the memberships of current members."""
        return self.filter(status=Status.ACTIVE)

    def shown_to(self, user: User) -> MembershipQuerySet:
        """Exclude members who have blocked `user` or are blocked by them."""
        return self.filter(unblocked(user, "user"))

    def count_by_club(self, clubs: Sequence[int]) -> dict[int, dict[str, int]]:
        """Return the expected `members_count` of these clubs, where it is not 0."""
        counts = self.active().filter(club__in=clubs).order_by().values_list("club").annotate(n=Count("pk"))
        return {club: {"members_count": n} for club, n in counts}

    def known(self) -> MembershipQuerySet:
        """Exclude former members. The rest is visible to moderators."""
        return self.exclude(status=Status.LEFT)

    def refresh_last_active(self, memberships: Sequence[int]) -> None:
        """Recompute `last_active_at`. The rows must be locked, or not in use by anyone else."""
        for pks in batches(memberships, BATCH):
            moved = [Membership(pk=pk, last_active_at=at) for pk, stored, at in self._compared(pks) if stored != at]
            self.bulk_update(moved, ["last_active_at"])

    def expected_last_active(self, memberships: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Return the expected `last_active_at` of these memberships, where it is not None."""
        return {pk: {"last_active_at": at} for pk, _stored, at in self._compared(memberships) if at}

    def _compared(self, memberships: Sequence[int]) -> Iterator[tuple[int, Moment, Moment]]:
        """Yield the id, the stored value and the expected value of these memberships."""
        found = self.filter(pk__in=memberships).order_by()
        known = {f"last_{name}": known() for name, known in activity_sources.items()}
        for pk, stored, *moments in found.annotate(**known).values_list("pk", "last_active_at", *known):
            yield pk, stored, max((moment for moment in moments if moment), default=None)

    @retrying_atomic
    def end_all(self, user: User) -> None:
        """Remove a deleted account from all its clubs and delete its memberships.

        A club it owns passes to its longest-serving active moderator, or else member. If there is none, it is deleted.
        """
        # Ordered by club, so that two deletions at once lock shared clubs in the same order.
        hold(User, [user.pk])
        for row in self.filter(user=user).select_related("club").order_by("club"):
            try:
                row.hold()
            except Http404:
                continue  # The club was deleted in the meantime.
            if row.club.owner_id == user.pk:
                others = row.club.memberships.active().exclude(user=user).select_related("user")
                heir = others.order_by(*SENIORITY).first()
                if heir is None:
                    row.club.delete_locked(by=user)
                    continue
                row.club.hand_over(heir.user, by=user)
            if row.status == Status.ACTIVE:
                row.log("member.left", by=user)
            row.go()
        self.filter(user=user).delete()


class Membership(models.Model):
    """Membership of a user in a club. The owner's role is stored on the club."""

    club = models.ForeignKey(Club, models.CASCADE, related_name="memberships")
    # Not CASCADE, which would bypass the club's member counter (see `remove_user_everywhere`).
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)
    status = models.CharField(max_length=10, choices=Status.choices)
    joined_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the user last joined; empty before that.")
    )
    message = models.CharField(max_length=500, blank=True, help_text=_("Message of the join request."))
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
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
            models.Index(fields=["user", "status"], name="clubs_membership_by_user"),
            # For the admin, which filters by status across clubs.
            models.Index(fields=["status", "id"], name="clubs_membership_status"),
        ]
        constraints = [models.UniqueConstraint(fields=["club", "user"], name="clubs_membership_once")]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def shown_role(self) -> str:
        """Role in responses: `owner`, `moderator` or `member`."""
        return OWNER if self.club.owner_id == self.user_id else self.role

    @property
    def standing(self) -> Standing:
        """Rank of the user in the club."""
        return Standing.of(self.status, self.shown_role)

    @retrying_atomic
    def change(self, *, by: User | None, status: str | None = None, role: str | None = None) -> None:
        """Approve (`active`), ban (`banned`), or change the role, which only the owner may; `by` is None for staff.

        Raises Forbidden unless `by` outranks the user; Conflict `club_full`, `not_pending`, `not_a_member`.
        """
        acting, was = self._begin(by), self.status
        if self.status == Status.LEFT and status != Status.BANNED:
            raise Http404
        if role is not None and acting < Standing.OWNER:
            raise Forbidden("owner_only", _("Only the club's owner may do this."))
        if status == Status.ACTIVE:
            self._approve()
            if was == Status.PENDING:
                self.log("member.accepted", by=by)
                self._tell(Kind.JOIN_ACCEPTED, by)
        elif status == Status.BANNED:
            self.go(to=Status.BANNED)
            if was != Status.BANNED:
                self.log("member.banned", by=by)
        if role is not None and role != self.role:
            if self.status != Status.ACTIVE:
                raise Conflict("not_a_member", _("Only a member of the club can have a role."))
            self._write(role=role)
            self.log("member.role_changed", by=by)
            self._tell(Kind.ROLE_CHANGED, by, Said("role", role))

    @retrying_atomic
    def remove(self, *, by: User | None) -> None:
        """Reject a join request, remove a member or lift a ban; `by` is None for staff.

        Raises Forbidden unless `by` outranks the user.
        """
        self._begin(by)
        if self.status == Status.LEFT:
            raise Http404
        self.log(REMOVALS[Status(self.status)], by=by)
        self.go()

    def hold(self) -> None:
        """Lock and reload the user and the club; 404 if either was deleted."""
        self.club.lock(with_user=self.user)
        try:
            self.refresh_from_db(fields=["role", "status", "joined_at", "message"])
        except Membership.DoesNotExist:
            raise Http404 from None

    def ask(self, message: str) -> None:
        """Save a join request and notify owner and moderators. The club must be locked."""
        self._write(status=Status.PENDING, message=message)
        self.log("member.asked", by=self.user)
        moderators = self.club.memberships.active().filter(role=Role.MODERATOR).values_list("user", flat=True)
        notify(
            Kind.JOIN_REQUEST,
            [self.club.owner_id, *moderators],
            actor=self.user_id,
            thing=self.club.thing,
            club=self.club_id,
            # At most one notification per user and day.
            key=f"join_request:{self.club_id}:{self.user_id}:{timezone.now():%Y-%m-%d}",
        )

    def enter(self) -> None:
        """Make the user a member. User and club must be locked. Raises Conflict `club_full`."""
        self.club.require_room()
        self.club.count_members(+1)
        self._write(status=Status.ACTIVE, role=Role.MEMBER, joined_at=timezone.now(), message="")
        membership_changed.send(Membership, club=self.club, user=self.user_id, sign=+1)

    def go(self, *, to: str = Status.LEFT) -> None:
        """End the membership. A row without former membership is deleted. User and club must be locked."""
        was_in = self.status == Status.ACTIVE
        if was_in:
            self.club.count_members(-1)
        if to == Status.LEFT and self.joined_at is None:
            self.delete()
        elif self.status != to:
            self._write(status=to, role=Role.MEMBER, message="")
        if was_in:
            membership_changed.send(Membership, club=self.club, user=self.user_id, sign=-1)
            member_left.send(Membership, club=self.club_id, user=self.user_id)
        Notification.objects.filter(user=self.user_id, club=self.club_id).delete()

    def log(self, verb: str, *, by: User | None) -> None:
        """Record what `by` (None for staff) did to the membership."""
        self.club.log(verb, by=by, about=self.user)

    def _tell(self, kind: Kind, by: User | None, detail: str | Said = "") -> None:
        """Notify the user."""
        actor = by.pk if by else None
        notify(kind, [self.user_id], actor=actor, thing=self.club.thing, club=self.club_id, detail=detail)

    def _approve(self) -> None:
        if self.status == Status.BANNED:
            raise Conflict("not_pending", _("This user is banned; lift the ban first."))
        if self.status == Status.PENDING:
            self.enter()

    def _begin(self, by: User | None) -> Standing:
        """Lock the rows and return the rank of `by`, which for staff is that of the owner.

        Raises Forbidden unless `by` is a moderator who outranks the user.
        """
        self.hold()
        acting = Standing.OWNER if by is None else self.club.standing_of(by)
        if acting < Standing.MODERATOR:
            raise refusal(Standing.MODERATOR)
        if self.standing >= acting:
            raise Forbidden("not_above", _("You can only manage members with a lower role than yours."))
        return acting

    def _write(self, **fields: object) -> None:
        """Save only these columns, or insert the row."""
        for name, value in {**fields, "updated_at": timezone.now()}.items():
            setattr(self, name, value)
        if self.pk is None:
            self.save(force_insert=True)
            Membership.objects.refresh_last_active([self.pk])
        else:
            self.save(update_fields=[*fields, "updated_at"])


# Event verb of a removal, by the previous status.
REMOVALS = {
    Status.PENDING: "member.refused",
    Status.ACTIVE: "member.removed",
    Status.BANNED: "member.unbanned",
}
# Moderators before members, then by date of joining.
SENIORITY = (models.Case(models.When(role=Role.MODERATOR, then=0), default=1), "joined_at", "id")
