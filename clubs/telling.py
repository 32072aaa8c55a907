"""Notifications to all members of a club.

A task sends them in batches, so that no request waits for thousands of rows.
"""

from activity.kinds import Kind
from activity.services import notify
from bookbridge.api.jobs import enqueue, job
from bookbridge.api.registry import notification_exclusions, notification_targets
from bookbridge.api.rows import hold
from clubs.clubs.models import Club
from clubs.members.models import Membership

PART = 500


def tell_members(club: int, kind: Kind, *, type: str, id: int, actor: int | None = None, key: str = "") -> None:
    """Notify the active members except `actor`, once the transaction is committed.

    The task looks the object up by its type. A member is notified only once for the same kind, object and `key`.
    """
    once = ":".join(filter(None, (kind, type, str(id), key)))
    enqueue("clubs.tell", club=club, kind=kind, type=type, id=id, actor=actor, once=once, after=0)


@job("clubs.tell")
def _tell(*, club: int, kind: str, type: str, id: int, actor: int | None, once: str, after: int) -> None:
    """Notify one batch of members and enqueue the next."""
    # Leaving locks the club as well, so no notification is created for a member who is leaving.
    hold(Club, [club])
    found = notification_targets[type](id)
    if found is None:
        return
    rows = Membership.objects.active().filter(club=club, pk__gt=after).order_by("pk").values_list("pk", "user")[:PART]
    members = list(rows)
    thing, detail = found
    silent = set(notification_exclusions[kind](id)) if kind in notification_exclusions else set()
    users = [user for _pk, user in members if user not in silent]
    notify(Kind(kind), users, actor=actor, thing=thing, club=club, detail=detail, key=once)
    if len(members) == PART:
        enqueue("clubs.tell", club=club, kind=kind, type=type, id=id, actor=actor, once=once, after=members[-1][0])
