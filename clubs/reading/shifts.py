"""Moving the dates of a book on a reading list."""

from __future__ import annotations

import datetime
import uuid
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from activity.changes.models import ChangeType
from activity.changes.services import changes_of, record_changes_of
from activity.choices import NotificationKind
from activity.messages import DeferredMessage
from clubs.notifications import notify_members
from clubs.reading.choices import FIRST_DAY, LAST_DAY
from clubs.reading.models import Entry, EntryChange, Milestone
from clubs.signals import entry_shifted
from core.api.exceptions import InvalidFieldError
from core.db.transactions import atomic_with_retry

if TYPE_CHECKING:
    from accounts.models import User


@atomic_with_retry
def shift_entry(entry: Entry, *, by: User, days: int, since: datetime.date, meetings: bool) -> dict[str, int]:
    """Move the end, the milestones due from the day `since` on, and if `meetings` the coming meetings, by `days`.

    Return how many milestones and meetings were moved, all or none. The members get one notification. Raises
    InvalidFieldError for the first date that cannot be moved, and Http404 if the entry was deleted.
    """
    entry.lock_with_club(with_user=by)
    moved = {"milestones": _shift_milestones(entry, days, since), "meetings": 0}
    ends_on = entry.ends_on
    if ends_on is not None:
        entry.ends_on = _shifted(ends_on, days)
        entry.check_dates(ends_on=entry.ends_on)
        entry.save(update_fields=["ends_on"])
        EntryChange.record(entry, by=by, ends_on=(ends_on, entry.ends_on))
        record_changes_of(changes_of(Entry.objects.filter(pk=entry.pk), ChangeType.ENTRY))
    if meetings:
        responses = entry_shifted.send(Entry, entry=entry, by=by, days=days, since=since)
        moved["meetings"] = sum(int(count or 0) for _receiver, count in responses)
    if ends_on is not None or any(moved.values()):
        entry.record_event("entry.shifted", by=by)
        detail = DeferredMessage("shift", f"{days} {since.isoformat()}")
        notify_members(
            entry.club_id,
            NotificationKind.SCHEDULE_CHANGED,
            type="entry",
            id=entry.pk,
            actor=by.pk,
            key=uuid.uuid4().hex,
            detail=detail,
        )
    return moved


def _shift_milestones(entry: Entry, days: int, since: datetime.date) -> int:
    """Move the milestones and return their number. The entry must be locked."""
    rows = Milestone.objects.filter(entry=entry, due_on__gte=since)
    milestones = list(rows.select_for_update().order_by("pk"))
    for milestone in milestones:
        milestone.due_on = _shifted(milestone.due_on, days)
        milestone.schedule_notice(entry.club)
    Milestone.objects.bulk_update(milestones, ["due_on"])
    moved = Milestone.objects.filter(pk__in=[milestone.pk for milestone in milestones])
    record_changes_of(changes_of(moved, ChangeType.MILESTONE, club="entry__club_id", parent_id="entry_id"))
    return len(milestones)


def _shifted(day: datetime.date, days: int) -> datetime.date:
    moved = day + datetime.timedelta(days)
    if not FIRST_DAY <= moved <= LAST_DAY:
        raise InvalidFieldError("days", "out_of_range", _("Dates must be between 1900 and 2100."))
    return moved
