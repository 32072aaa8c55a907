"""Who somebody is in a club."""

from enum import IntEnum

from django.db import models
from django.utils.translation import gettext_lazy as _

from bookbridge.api.errors import Forbidden

# The word of an answer for whom `Club.owner` names; no row of a membership holds it, so there is always exactly one.
OWNER = "owner"


class Role(models.TextChoices):
    """What a member may do; the owner is named by the club itself."""

    MODERATOR = "moderator", _("moderator")
    MEMBER = "member", _("member")


class Status(models.TextChoices):
    """How a reader stands to a club."""

    ACTIVE = "active", _("active")
    PENDING = "pending", _("pending")
    BANNED = "banned", _("banned")
    # Was in once, so can be banned; never shown.
    LEFT = "left", _("left")


# The words of answers, and those a moderator may say.
SHOWN_ROLES = [(OWNER, _("owner")), *Role.choices]
SHOWN_STATUSES = [choice for choice in Status.choices if choice[0] != Status.LEFT]
DECISIONS = [choice for choice in Status.choices if choice[0] in (Status.ACTIVE, Status.BANNED)]

# To whom a private club is known.
KNOWN_TO = (Status.ACTIVE, Status.PENDING)


class Standing(IntEnum):
    """How far somebody may go in a club; a banned reader is an outsider."""

    OUTSIDER = 0
    PENDING = 1
    MEMBER = 2
    MODERATOR = 3
    OWNER = 4

    @classmethod
    def of(cls, status: str | None, role: str | None) -> "Standing":
        """The standing of a status with a role, `owner` included."""
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
    """What somebody is told who does not stand as far up as is needed."""
    return Forbidden(*REFUSALS[needed])
