"""Notifications to members of a club."""

from activity.choices import NOT_EMAILED_DURING_PAUSE, NotificationKind
from activity.messages import DeferredMessage
from activity.models import Notification
from clubs.members.models import Membership
from clubs.roles import MembershipStatus
from clubs.tasks import notify_club_members


def notify_members(
    club_id: int,
    kind: NotificationKind,
    *,
    type: str,
    id: int,
    actor: int | None = None,
    key: str = "",
    detail: DeferredMessage | None = None,
) -> None:
    """Notify the active members except `actor`, once the transaction is committed.

    The task looks the object up by its type, with what the text says about it, unless there is a `detail`. A member is
    notified only once for the same kind, object and `key`.
    """
    full_key = ":".join(filter(None, (kind, type, str(id), key)))
    notify_club_members.enqueue(
        club_id=club_id, kind=kind, type=type, id=id, actor=actor, key=full_key, after=0, detail=detail
    )


def is_muted_by_pause(notification: Notification) -> bool:
    """Return whether the user has paused their membership, and gets no e-mails of this kind."""
    if notification.kind not in NOT_EMAILED_DURING_PAUSE or notification.club is None:
        return False
    return Membership.objects.paused(notification.club).filter(user=notification.user_id).exists()


def is_answered_request(notification: Notification) -> bool:
    """Return whether the notification is of a join request that was withdrawn, accepted or refused."""
    if notification.kind != NotificationKind.JOIN_REQUEST:
        return False
    requests = Membership.objects.filter(club=notification.club_id, status=MembershipStatus.PENDING)
    return not requests.filter(user=notification.actor_id).exists()
