"""Memberships. Whatever changes a membership holds the club's row (`Club.lock`)."""

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

# How many rows one statement moves.
BATCH = 500

Moment = datetime.datetime | None


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Rules about many memberships."""

    def active(self) -> MembershipQuerySet:
        """Those of readers who are in."""
        return self.filter(status=Status.ACTIVE)

    def shown_to(self, user: User) -> MembershipQuerySet:
        """Those of readers between whom and `user` no block stands."""
        return self.filter(unblocked(user, "user"))

    def count_by_club(self, clubs: Sequence[int]) -> dict[int, dict[str, int]]:
        """What each of these clubs' `members_count` should be, where it is not 0."""
        counts = self.active().filter(club__in=clubs).order_by().values_list("club").annotate(n=Count("pk"))
        return {club: {"members_count": n} for club, n in counts}

    def known(self) -> MembershipQuerySet:
        """Those that moderators get to see: all but the ones that are over."""
        return self.exclude(status=Status.LEFT)

    def refresh_last_active(self, memberships: Sequence[int]) -> None:
        """Set `last_active_at` of these rows to what it should be. For who holds them, or has the tables alone."""
        for pks in batches(memberships, BATCH):
            moved = [Membership(pk=pk, last_active_at=at) for pk, stored, at in self._compared(pks) if stored != at]
            self.bulk_update(moved, ["last_active_at"])

    def expected_last_active(self, memberships: Sequence[int]) -> dict[int, dict[str, Any]]:
        """What `last_active_at` of these rows should be, where it is not None."""
        return {pk: {"last_active_at": at} for pk, _stored, at in self._compared(memberships) if at}

    def _compared(self, memberships: Sequence[int]) -> Iterator[tuple[int, Moment, Moment]]:
        """Of each of these rows what it holds and what it should."""
        found = self.filter(pk__in=memberships).order_by()
        known = {f"last_{name}": known() for name, known in activity_sources.items()}
        for pk, stored, *moments in found.annotate(**known).values_list("pk", "last_active_at", *known):
            yield pk, stored, max((moment for moment in moments if moment), default=None)

    @retrying_atomic
    def end_all(self, user: User) -> None:
        """Part an account that goes from all its clubs, and forget that it was ever in one.

        A club it owns passes to its longest-serving active moderator, else member, else it is dissolved.
        """
        # By id, so that two accounts that go at once lock the clubs they share in the same order.
        hold(User, [user.pk])
        for row in self.filter(user=user).select_related("club").order_by("club"):
            try:
                row.hold()
            except Http404:
                continue  # It went at the same moment.
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
    """How one reader stands to one club. `role` is a rank below the owner, whom the club itself names."""

    club = models.ForeignKey(Club, models.CASCADE, related_name="memberships")
    # Not CASCADE: that would pass by the club's counter (`MembershipQuerySet.end_all`).
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)
    status = models.CharField(max_length=10, choices=Status.choices)
    joined_at = models.DateTimeField(null=True, blank=True, help_text=_("When they came in last; empty before."))
    message = models.CharField(max_length=500, blank=True, help_text=_("What a reader who asked to join wrote."))
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    # See `clubs.members.services`, which alone moves it.
    last_active_at = models.DateTimeField(
        null=True, editable=False, help_text=_("When they last did something that others see.")
    )

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        indexes = [
            models.Index(fields=["club", "status", "joined_at", "id"], name="clubs_membership_by_status"),
            models.Index(fields=["club", "status", "last_active_at"], name="clubs_membership_by_activity"),
            models.Index(fields=["user", "status"], name="clubs_membership_by_user"),
            # For staff, who look for the few that ask or are banned anywhere.
            models.Index(fields=["status", "id"], name="clubs_membership_status"),
        ]
        constraints = [models.UniqueConstraint(fields=["club", "user"], name="clubs_membership_once")]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def shown_role(self) -> str:
        """The role as answers tell it: `owner`, `moderator` or `member`."""
        return OWNER if self.club.owner_id == self.user_id else self.role

    @property
    def standing(self) -> Standing:
        """How far the reader may go in the club."""
        return Standing.of(self.status, self.shown_role)

    @retrying_atomic
    def change(self, *, by: User | None, status: str | None = None, role: str | None = None) -> None:
        """Approve (`active`) or ban (`banned`), and give a role, which only the owner does; `by` is None for staff.

        Raises Forbidden where `by` is not above the reader, Conflict `club_full`, `not_pending`, `not_a_member`.
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
                raise Conflict("not_a_member", _("Only somebody who is in the club has a role in it."))
            self._write(role=role)
            self.log("member.role_changed", by=by)
            self._tell(Kind.ROLE_CHANGED, by, Said("role", role))

    @retrying_atomic
    def remove(self, *, by: User | None) -> None:
        """Refuse a request, remove a member or lift a ban; `by` is None for staff.

        Raises Forbidden where `by` is not above the reader.
        """
        self._begin(by)
        if self.status == Status.LEFT:
            raise Http404
        self.log(REMOVALS[Status(self.status)], by=by)
        self.go()

    def hold(self) -> None:
        """Lock the reader and the club and read both rows afresh; 404 where either is gone by now."""
        self.club.lock(with_user=self.user)
        try:
            self.refresh_from_db(fields=["role", "status", "joined_at", "message"])
        except Membership.DoesNotExist:
            raise Http404 from None

    def ask(self, message: str) -> None:
        """Note a request to join, and tell those who may decide. The caller holds the club's lock."""
        self._write(status=Status.PENDING, message=message)
        self.log("member.asked", by=self.user)
        moderators = self.club.memberships.active().filter(role=Role.MODERATOR).values_list("user", flat=True)
        notify(
            Kind.JOIN_REQUEST,
            [self.club.owner_id, *moderators],
            actor=self.user_id,
            thing=self.club.thing,
            club=self.club_id,
            # Once a day, however often they change their mind.
            key=f"join_request:{self.club_id}:{self.user_id}:{timezone.now():%Y-%m-%d}",
        )

    def enter(self) -> None:
        """Come in. The caller holds the locks of the reader and the club. Raises Conflict `club_full`."""
        self.club.require_room()
        self.club.count_members(+1)
        self._write(status=Status.ACTIVE, role=Role.MEMBER, joined_at=timezone.now(), message="")
        membership_changed.send(Membership, club=self.club, user=self.user_id, sign=+1)

    def go(self, *, to: str = Status.LEFT) -> None:
        """Be in no longer. Nothing is kept of a reader who never was in. The caller holds both locks."""
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
        """Write into the club's log what `by` (None: staff) did to the reader's standing."""
        self.club.log(verb, by=by, about=self.user)

    def _tell(self, kind: Kind, by: User | None, detail: str | Said = "") -> None:
        """Tell the reader."""
        actor = by.pk if by else None
        notify(kind, [self.user_id], actor=actor, thing=self.club.thing, club=self.club_id, detail=detail)

    def _approve(self) -> None:
        if self.status == Status.BANNED:
            raise Conflict("not_pending", _("This reader is banned; lift the ban first."))
        if self.status == Status.PENDING:
            self.enter()

    def _begin(self, by: User | None) -> Standing:
        """Hold the row and see that `by` is a moderator above it; how far `by` may go: staff as far as the owner."""
        self.hold()
        acting = Standing.OWNER if by is None else self.club.standing_of(by)
        if acting < Standing.MODERATOR:
            raise refusal(Standing.MODERATOR)
        if self.standing >= acting:
            raise Forbidden("not_above", _("Nobody acts on a role equal to or above their own."))
        return acting

    def _write(self, **fields: object) -> None:
        """Set these columns and no others, or add the row."""
        for name, value in {**fields, "updated_at": timezone.now()}.items():
            setattr(self, name, value)
        if self.pk is None:
            self.save(force_insert=True)
            Membership.objects.refresh_last_active([self.pk])
        else:
            self.save(update_fields=[*fields, "updated_at"])


# What taking somebody out is called, after how they stood.
REMOVALS = {
    Status.PENDING: "member.refused",
    Status.ACTIVE: "member.removed",
    Status.BANNED: "member.unbanned",
}
# Moderators before members, then who came in first.
SENIORITY = (models.Case(models.When(role=Role.MODERATOR, then=0), default=1), "joined_at", "id")
