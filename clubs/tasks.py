"""Notifying a club's members, in batches, so that no request waits for thousands of rows."""

from activity.choices import NotificationKind
from activity.services import notify
from clubs.club.models import Club
from clubs.members.models import Membership
from core.db.locking import lock_rows
from core.registry import notification_exclusions, notification_targets
from core.tasks.decorators import task

PART = 500


@task()
def notify_club_members(*, club: int, kind: str, type: str, id: int, actor: int | None, once: str, after: int) -> None:
    """Notify one batch of the members, and enqueue the next."""
    # Leaving a club locks it too: a member has left before this, or the notification is deleted when they leave.
    lock_rows(Club, [club])
    found = notification_targets[type](id)
    if found is None:
        return
    rows = Membership.objects.active().filter(club=club, pk__gt=after).order_by("pk").values_list("pk", "user")[:PART]
    members = list(rows)
    thing, detail = found
    silent = set(notification_exclusions[kind](id)) if kind in notification_exclusions else set()
    users = [user for _pk, user in members if user not in silent]
    notify(NotificationKind(kind), users, actor=actor, object_ref=thing, club=club, detail=detail, key=once)
    if len(members) == PART:
        notify_club_members.enqueue(
            club=club, kind=kind, type=type, id=id, actor=actor, once=once, after=members[-1][0]
        )
