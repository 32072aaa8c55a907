"""Notifications to all members of a club."""

from activity.choices import NotificationKind
from clubs.tasks import notify_club_members


def notify_members(
    club_id: int, kind: NotificationKind, *, type: str, id: int, actor: int | None = None, key: str = ""
) -> None:
    """Notify the active members except `actor`, once the transaction is committed.

    The task looks the object up by its type. A member is notified only once for the same kind, object and `key`.
    """
    full_key = ":".join(filter(None, (kind, type, str(id), key)))
    notify_club_members.enqueue(club_id=club_id, kind=kind, type=type, id=id, actor=actor, key=full_key, after=0)
