"""Models of the members package."""

from clubs.members.models.invitations import MAX_HOURS, MAX_USES, Invitation, InvitationQuerySet
from clubs.members.models.memberships import BATCH, Membership, MembershipQuerySet

__all__ = ["BATCH", "MAX_HOURS", "MAX_USES", "Invitation", "InvitationQuerySet", "Membership", "MembershipQuerySet"]
