"""Notifying a club's members, in batches, so that no request waits for thousands of rows."""

from collections.abc import Callable
from typing import Any

from activity.details import Said
from activity.kinds import Kind
from activity.models import Thing
from activity.services import notify
from bookbridge.api.rows import hold
from bookbridge.api.tasks.decorators import task
from clubs.clubs.models import Club
from clubs.members.models import Membership

PART = 500

# How the task finds its object, since its arguments are ids only: the type of the object -> a function that returns
# the object and the `detail` of the notification's text, or None if it is deleted and nobody need be notified.
things: dict[str, Callable[[int], tuple[Thing, str | Said] | None]] = {}

# Members who do not want a notification of a kind: the kind -> a function of the object's id that returns user ids.
unless: dict[str, Callable[[int], Any]] = {}


@task()
def notify_club_members(*, club: int, kind: str, type: str, id: int, actor: int | None, once: str, after: int) -> None:
    """Notify one batch of the members, and enqueue the next."""
    # Leaving a club locks it too: a member has left before this, or the notification is deleted when they leave.
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
        notify_club_members.enqueue(
            club=club, kind=kind, type=type, id=id, actor=actor, once=once, after=members[-1][0]
        )
