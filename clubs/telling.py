"""Notifications for the members of a club."""

from activity.kinds import Kind
from clubs.tasks import notify_club_members
from clubs.tasks import things as things
from clubs.tasks import unless as unless


def tell_members(club: int, kind: Kind, *, type: str, id: int, actor: int | None = None, key: str = "") -> None:
    """Notify the club's active members except `actor`, once the transaction is committed.

    The object is looked up when the task runs, by `things[type]`. For the same kind, object and `key` each member is
    notified once.
    """
    once = ":".join(filter(None, (kind, type, str(id), key)))
    notify_club_members.enqueue(club=club, kind=kind, type=type, id=id, actor=actor, once=once, after=0)
