"""Roles, membership statuses and ranks."""

from enum import IntEnum

from django.db import models
from django.utils.translation import gettext_lazy as _

from bookbridge.api.errors import Forbidden

# Never stored on a membership: `Club.owner` names the owner, so a club always has exactly one.
OWNER = "owner"


class Role(models.TextChoices):
    """Role of a member. The owner is stored on the club instead."""

    MODERATOR = "moderator", _("moderator")
    MEMBER = "member", _("member")


class Status(models.TextChoices):
    """Status of a user's membership."""

    ACTIVE = "active", _("active")
    PENDING = "pending", _("pending")
    BANNED = "banned", _("banned")
    # A former member, who can still be banned. Not shown to clients.
    LEFT = "left", _("left")


# Choices in responses, then those that a moderator may set.
SHOWN_ROLES = [(OWNER, _("owner")), *Role.choices]
SHOWN_STATUSES = [choice for choice in Status.choices if choice[0] != Status.LEFT]
DECISIONS = [choice for choice in Status.choices if choice[0] in (Status.ACTIVE, Status.BANNED)]

# Statuses that make a private club visible to the user.
KNOWN_TO = (Status.ACTIVE, Status.PENDING)


class Standing(IntEnum):
    """Rank of a user in a club. Banned users are outsiders."""

    OUTSIDER = 0
    PENDING = 1
    MEMBER = 2
    MODERATOR = 3
    OWNER = 4

    @classmethod
    def of(cls, status: str | None, role: str | None) -> "Standing":
        """Return the rank for a status and a role (including `owner`)."""
        if status == Status.ACTIVE:
            return {OWNER: cls.OWNER, Role.MODERATOR.value: cls.MODERATOR}.get(role or "", cls.MEMBER)
        return cls.PENDING if status == Status.PENDING else cls.OUTSIDER


REFUSALS = {
    Standing.PENDING: ("members_only", _("Only the club's members may do this.")),
    Standing.MEMBER: ("members_only", _("Only the club's members may do this.")),
    Standing.MODERATOR: ("moderators_only", _("Only the club's moderators may do this.")),
    Standing.OWNER: ("owner_only", _("Only the club's owner may do this.")),
}


def refusal(needed: Standing) -> Forbidden:
    """Return the Forbidden error for a missing rank."""
    return Forbidden(*REFUSALS[needed])
