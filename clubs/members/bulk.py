"""One action of a moderator on several users of a club."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.db import models
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from clubs.club.models import Club
from clubs.members.models import Membership
from clubs.roles import MembershipStatus, Rank, permission_denied
from core.api.exceptions import Conflict, PermissionDeniedProblem
from core.db.locking import lock_rows
from core.db.transactions import atomic_with_retry

MAX_BULK_USERS = 200


class BulkAction(models.TextChoices):
    """Actions on several users."""

    APPROVE = "approve", _("approve")
    REFUSE = "refuse", _("refuse")
    REMOVE = "remove", _("remove")
    PAUSE = "pause", _("pause")


def _refuse(membership: Membership, by: User) -> None:
    if membership.status != MembershipStatus.PENDING:
        raise Conflict("not_pending", _("This user has not asked to join."), user=membership.user.summary)
    membership.remove(by=by)


def _remove(membership: Membership, by: User) -> None:
    if membership.status != MembershipStatus.ACTIVE:
        raise Conflict("not_a_member", _("This user is not a member."), user=membership.user.summary)
    membership.remove(by=by)


ACTIONS: dict[str, Callable[[Membership, User], None]] = {
    BulkAction.APPROVE: lambda membership, by: membership.update_membership(by=by, status=MembershipStatus.ACTIVE),
    BulkAction.REFUSE: _refuse,
    BulkAction.REMOVE: _remove,
}


@atomic_with_retry
def apply_to_members(club: Club, *, by: User, action: str, users: Sequence[int]) -> dict[str, Any]:
    """Apply an action to users (ids), each by the rules of the single action.

    Return the ids of the users to whom it was applied (`done`), and the `refused` users with the error code. Raises
    PermissionDeniedProblem if `by` is no longer a moderator.
    """
    wanted = list(dict.fromkeys(users))
    # Before the club, as every change of one membership does.
    lock_rows(User, wanted)
    club.lock()
    rank = club.rank_of(by)
    if rank < Rank.MODERATOR:
        raise permission_denied(Rank.MODERATOR)
    memberships = {row.user_id: row for row in club.memberships.filter(user__in=wanted).select_related("user")}
    apply = partial(_prepare_pause, rank=rank) if action == BulkAction.PAUSE else ACTIONS[action]
    codes = {user: _apply(apply, memberships.get(user), by) for user in wanted}
    done = [user for user, code in codes.items() if not code]
    if action == BulkAction.PAUSE:
        Membership.objects.pause_all([memberships[user] for user in done if user != by.pk], by=by)
    return {"done": done, "refused": [{"user": user, "code": code} for user, code in codes.items() if code]}


def _prepare_pause(membership: Membership, by: User, *, rank: Rank) -> None:
    """Check that `pause_all` may pause the membership. Pause that of `by` here, because other rules apply to it."""
    if membership.user_id == by.pk:
        membership.set_pause(by=by, until=None)
        return
    membership.require_outranked(rank)
    if membership.status != MembershipStatus.ACTIVE:
        raise Http404


def _apply(action: Callable[[Membership, User], None], membership: Membership | None, by: User) -> str:
    """Apply the action to one membership, and return the error code if it is refused."""
    if membership is None or membership.status == MembershipStatus.LEFT:
        return "not_found"
    try:
        action(membership, by)
    except Http404:
        return "not_found"
    except (Conflict, PermissionDeniedProblem) as error:
        return error.code
    return ""
