"""Computation of `Membership.last_active_at`.

It is the latest of the registered sources: visible reading progress, public reviews, posts and RSVPs. Content that is
hidden, private, withdrawn or deleted does not count. Votes do not count either, because they are secret and this date
would reveal them. A post counts by its creation date, an RSVP by its last change. The membership must be locked before
the column is written.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection
from typing import Any

from django.db.models import Case, DateTimeField, F, QuerySet, Value, When

from activity.models import ObjectRef
from activity.services import record_event
from clubs.members.models import BATCH_SIZE, Membership
from clubs.members.models.pauses import NOT_PAUSED
from core.db.locking import batched
from core.db.prepared import prepared_update


def record_activity(user_id: int, *, at: datetime.datetime, club_id: int | None = None) -> None:
    """Record a visible activity at time `at`, in one club or in all clubs of the user.

    Call it after the content was written, in the same transaction.
    """
    _update_last_active(user_id, club_id, at)


@prepared_update
def _update_last_active(
    user_id: int, club_id: int | None, at: datetime.datetime
) -> tuple[QuerySet[Membership], dict[str, Any]]:
    rows = Membership.objects.filter(user=user_id)
    rows = rows if club_id is None else rows.filter(club=club_id)
    # Update rows with a later date too, instead of excluding them: the update locks them, so that a concurrent
    # `recompute_activity` waits for this transaction.
    later = When(last_active_at__gt=at, then=F("last_active_at"))
    latest = Case(later, default=Value(at, DateTimeField()), output_field=DateTimeField())
    return rows, {"last_active_at": latest}


def recompute_activity(user_ids: Collection[int], *, club_id: int | None = None) -> None:
    """Recompute `last_active_at` of these users after content was hidden or deleted."""
    for batch in batched(sorted(user_ids), BATCH_SIZE):
        rows = Membership.objects.filter(user__in=batch)
        rows = rows if club_id is None else rows.filter(club=club_id)
        Membership.objects.refresh_last_active(
            list(rows.select_for_update().order_by("pk").values_list("pk", flat=True))
        )


def end_pause_by_moderator(user_id: int, *, club_id: int) -> None:
    """End the pause that a moderator has set, because the member answers, marks progress, votes or posts.

    Call it in the same transaction. A pause that members have set themselves continues.
    """
    paused = Membership.objects.filter(club=club_id, user=user_id, paused_by_moderator=True)
    if paused.update(**NOT_PAUSED):
        record_event("member.resumed", actor=user_id, object_ref=ObjectRef("club", club_id, ""))
