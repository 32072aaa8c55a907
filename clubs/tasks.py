"""Task that notifies the members of a club, in batches, so that no request waits for thousands of rows."""

from collections.abc import Sequence

from activity.choices import NotificationKind
from activity.messages import DeferredMessage
from activity.services import notify
from clubs.club.models import Club
from clubs.members.models import Membership
from core.db.locking import lock_rows
from core.registry import notification_exclusions, notification_targets
from core.tasks.decorators import task

BATCH_SIZE = 500


@task()
def notify_club_members(
    *,
    club_id: int,
    kind: str,
    type: str,
    id: int,
    actor: int | None,
    key: str,
    after: int,
    detail: Sequence[str] | None = None,
) -> None:
    """Notify one batch of the members, and enqueue the next."""
    # Leaving a club locks it too, so notifications of members who leave in the meantime are deleted by `deactivate`.
    lock_rows(Club, [club_id])
    target = notification_targets[type](id)
    if target is None:
        return
    rows = Membership.objects.active().filter(club=club_id, pk__gt=after).order_by("pk")
    members = list(rows.values_list("pk", "user")[:BATCH_SIZE])
    object_ref, text = target
    text = DeferredMessage(*detail) if detail else text
    excluded = set(notification_exclusions[kind](id)) if kind in notification_exclusions else set()
    user_ids = [user for _pk, user in members if user not in excluded]
    notify(NotificationKind(kind), user_ids, actor=actor, object_ref=object_ref, club=club_id, detail=text, key=key)
    if len(members) == BATCH_SIZE:
        notify_club_members.enqueue(
            club_id=club_id, kind=kind, type=type, id=id, actor=actor, key=key, after=members[-1][0], detail=detail
        )
