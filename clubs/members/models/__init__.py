"""Models of memberships and invitations."""

from clubs.members.models.invitations import MAX_HOURS, MAX_USES, Invitation, InvitationQuerySet
from clubs.members.models.memberships import BATCH_SIZE, Membership, MembershipQuerySet

__all__ = [
    "BATCH_SIZE",
    "MAX_HOURS",
    "MAX_USES",
    "Invitation",
    "InvitationQuerySet",
    "Membership",
    "MembershipQuerySet",
]
