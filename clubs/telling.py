"""Telling a club's members: a job goes through them in parts, so that no request waits for thousands of rows."""

from collections.abc import Callable
from typing import Any

from activity.details import Said
from activity.kinds import Kind
from activity.models import Thing
from activity.services import notify
from bookbridge.api.jobs import enqueue, job
from bookbridge.api.rows import hold
from clubs.clubs.models import Club
from clubs.members.models import Membership

PART = 500

# What a job of `tell_members` finds its object by, since a job holds ids alone: the type of a thing -> what gives the
# thing as it is now with the text's `detail` (as in `notify`), or None where it has gone and nobody need hear of it.
things: dict[str, Callable[[int], tuple[Thing, str | Said] | None]] = {}

# Who does not want to hear of a thing in the way of this kind: the kind -> the users' ids, of the thing's id.
unless: dict[str, Callable[[int], Any]] = {}


def tell_members(club: int, kind: Kind, *, type: str, id: int, actor: int | None = None, key: str = "") -> None:
    """Tell the club's active members but `actor`, once the transaction is committed.

    The thing is looked up when the job runs, by `things[type]`. Of several with the same kind, thing and `key` each
    member hears once.
    """
    once = ":".join(filter(None, (kind, type, str(id), key)))
    enqueue("clubs.tell", club=club, kind=kind, type=type, id=id, actor=actor, once=once, after=0)


@job("clubs.tell")
def _tell(*, club: int, kind: str, type: str, id: int, actor: int | None, once: str, after: int) -> None:
    """Tell a part of the members, and have the next part told."""
    # Whoever leaves the club holds it too, so they are either gone by now or their notification goes with them.
    hold(Club, [club])
    found = things[type](id)
    if found is None:
        return
    rows = Membership.objects.active().filter(club=club, pk__gt=after).order_by("pk").values_list("pk", "user")[:PART]
    members = list(rows)
    thing, detail = found
    silent = set(unless[kind](id)) if kind in unless else set()
    users = [user for _pk, user in members if user not in silent]
    notify(Kind(kind), users, actor=actor, thing=thing, club=club, detail=detail, key=once)
    if len(members) == PART:
        enqueue("clubs.tell", club=club, kind=kind, type=type, id=id, actor=actor, once=once, after=members[-1][0])
