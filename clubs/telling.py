"""Telling a club's members: a job goes through them in parts, so that no request waits for thousands of rows."""

from activity.kinds import Kind
from activity.services import notify
from bookbridge.api.jobs import enqueue, job
from bookbridge.api.registry import notification_exclusions, notification_targets
from bookbridge.api.rows import hold
from clubs.clubs.models import Club
from clubs.members.models import Membership

PART = 500


def tell_members(club: int, kind: Kind, *, type: str, id: int, actor: int | None = None, key: str = "") -> None:
    """Tell the club's active members but `actor`, once the transaction is committed.

    The thing is looked up when the job runs, by `notification_targets`. Of several with the same kind, thing and `key`
    each member hears once.
    """
    once = ":".join(filter(None, (kind, type, str(id), key)))
    enqueue("clubs.tell", club=club, kind=kind, type=type, id=id, actor=actor, once=once, after=0)


@job("clubs.tell")
def _tell(*, club: int, kind: str, type: str, id: int, actor: int | None, once: str, after: int) -> None:
    """Tell a part of the members, and have the next part told."""
    # Whoever leaves the club holds it too, so they are either gone by now or their notification goes with them.
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
