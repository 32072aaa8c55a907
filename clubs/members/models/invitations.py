"""Invitations by code."""

from __future__ import annotations

import datetime
import secrets
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import F, Q
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.blocks import not_blocked
from accounts.models import User
from activity.models import ObjectRef
from activity.services import record_event
from clubs.club.models import Club
from clubs.roles import MembershipStatus
from core.api.exceptions import Conflict
from core.db.fields import BinaryCollationCharField
from core.db.transactions import atomic_with_retry
from core.search.normalize import sha256_hex

if TYPE_CHECKING:
    from clubs.members.models.memberships import Membership

MAX_HOURS = 720
MAX_USES = 1000


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Queries for invitations."""

    def not_revoked(self) -> InvitationQuerySet:
        """Return invitations that were not revoked."""
        return self.filter(revoked_at=None)

    def usable(self) -> InvitationQuerySet:
        """Return invitations that can be used now."""
        unused = Q(max_uses=None) | Q(uses__lt=F("max_uses"))
        return self.not_revoked().filter(unused, expires_at__gt=timezone.now())

    def with_code(self, code: str, *, user: User | AnonymousUser) -> Invitation:
        """Return the invitation. Raises Http404, also if a block exists between `user` and the creator."""
        rows = self.filter(digest=sha256_hex(code)).select_related("club", "created_by")
        invitation = rows.filter(not_blocked(user, "created_by")).first()
        if invitation is None:
            raise Http404
        return invitation

    def preview(self, code: str, *, user: User | AnonymousUser) -> Invitation:
        """Return the invitation that `user` could accept, or whose club they are in. Raises Http404 for any other."""
        invitation = self.usable().with_code(code, user=user)
        if invitation.club.memberships.filter(user=user.pk, status=MembershipStatus.BANNED).exists():
            raise Http404
        return invitation

    def revoke(self) -> int:
        """Revoke the invitations and return how many were not revoked before."""
        return self.not_revoked().update(revoked_at=timezone.now())

    @atomic_with_retry
    def accept(self, code: str, *, user: User) -> Membership:
        """Add `user` to the club of the invitation with this code and count the use.

        Raises Http404 for any invalid code, for banned users, and if a block exists between `user` and the creator.
        Raises Conflict `already_member` (the use is not counted) or `club_full`. A member gets `already_member` even if
        the code is used up, because such a call is usually a retry.
        """
        invitation = self.with_code(code, user=user)
        invitation.club.lock(with_user=user)
        row = invitation.club.get_membership(user)
        if row.status == MembershipStatus.ACTIVE:
            text = _("You are already a member of this club.")
            raise Conflict("already_member", text, club=invitation.club.summary)
        # A conditional update, so that two users cannot both take the last use.
        usable = self.usable().filter(pk=invitation.pk)
        if row.status == MembershipStatus.BANNED or not usable.update(uses=F("uses") + 1):
            raise Http404
        row.activate()
        row.record_event("member.joined", by=user)
        return row


class Invitation(models.Model):
    """A code with which users join a club for a limited time. Only its SHA-256 digest is stored.

    Without `max_uses`, only the member limit of the club applies.
    """

    club = models.ForeignKey(Club, models.CASCADE, related_name="invitations", verbose_name=_("club"))
    digest = BinaryCollationCharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("created by")
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False, verbose_name=_("created at"))
    expires_at = models.DateTimeField(verbose_name=_("expires at"))
    max_uses = models.PositiveIntegerField(null=True, blank=True, verbose_name=_("max uses"))
    uses = models.PositiveIntegerField(default=0, editable=False, verbose_name=_("uses"))
    revoked_at = models.DateTimeField(null=True, blank=True, verbose_name=_("revoked at"))

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.CheckConstraint(
                condition=Q(max_uses__isnull=True) | Q(uses__lte=F("max_uses")), name="clubs_invitation_uses"
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @classmethod
    @atomic_with_retry
    def create_with_code(
        cls, club: Club, *, by: User, expires_in_hours: int, max_uses: int | None = None
    ) -> tuple[Invitation, str]:
        """Create an invitation and return it with its code (192 random bits), which is not stored."""
        club.lock()
        code = secrets.token_urlsafe(24)
        expires_at = timezone.now() + datetime.timedelta(hours=expires_in_hours)
        invitation = cls.objects.create(
            club=club, digest=sha256_hex(code), created_by=by, expires_at=expires_at, max_uses=max_uses
        )
        record_event("invite.created", actor=by.pk, object_ref=invitation.object_ref, club=club.pk)
        return invitation, code

    @atomic_with_retry
    def revoke(self, *, by: User | None) -> None:
        """Revoke the invitation; `by` is None for staff. Raises Http404 if it was deleted or already revoked."""
        if not Invitation.objects.filter(pk=self.pk).revoke():
            raise Http404
        record_event("invite.revoked", actor=by.pk if by else None, object_ref=self.object_ref, club=self.club_id)

    @property
    def object_ref(self) -> ObjectRef:
        """Reference to the invitation for logs."""
        return ObjectRef("invite", self.pk, "")
