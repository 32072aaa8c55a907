"""Roles, membership statuses and ranks."""

from enum import IntEnum

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.api.exceptions import PermissionDeniedProblem

# Never stored on a membership: `Club.owner` names the owner, so a club always has exactly one.
OWNER = "owner"


class Role(models.TextChoices):
    """Role of a member. The owner is stored on the club instead."""

    MODERATOR = "moderator", _("moderator")
    MEMBER = "member", _("member")


class MembershipStatus(models.TextChoices):
    """Status of a user's membership."""

    ACTIVE = "active", _("active")
    PENDING = "pending", _("pending")
    BANNED = "banned", _("banned")
    # A former member, who can still be banned. Not shown to clients.
    LEFT = "left", _("left")


# Choices in responses. DECISIONS are the statuses that a moderator may set.
PUBLIC_ROLES = [(OWNER, _("owner")), *Role.choices]
PUBLIC_STATUSES = [choice for choice in MembershipStatus.choices if choice[0] != MembershipStatus.LEFT]
DECISIONS = [
    choice for choice in MembershipStatus.choices if choice[0] in (MembershipStatus.ACTIVE, MembershipStatus.BANNED)
]

# Statuses that make a private club visible to the user.
STATUSES_WITH_ACCESS = (MembershipStatus.ACTIVE, MembershipStatus.PENDING)


class Rank(IntEnum):
    """Rank of a user in a club. Banned users are outsiders."""

    OUTSIDER = 0
    PENDING = 1
    MEMBER = 2
    MODERATOR = 3
    OWNER = 4

    @classmethod
    def for_membership(cls, status: str | None, role: str | None) -> "Rank":
        """Return the rank for a status and a role (including `owner`)."""
        if status == MembershipStatus.ACTIVE:
            return {OWNER: cls.OWNER, Role.MODERATOR.value: cls.MODERATOR}.get(role or "", cls.MEMBER)
        return cls.PENDING if status == MembershipStatus.PENDING else cls.OUTSIDER


DENIED_MESSAGES = {
    Rank.PENDING: ("members_only", _("Only the club's members may do this.")),
    Rank.MEMBER: ("members_only", _("Only the club's members may do this.")),
    Rank.MODERATOR: ("moderators_only", _("Only the club's moderators may do this.")),
    Rank.OWNER: ("owner_only", _("Only the club's owner may do this.")),
}


def permission_denied(needed: Rank) -> PermissionDeniedProblem:
    """Return the error for a caller who does not have the `needed` rank."""
    return PermissionDeniedProblem(*DENIED_MESSAGES[needed])
