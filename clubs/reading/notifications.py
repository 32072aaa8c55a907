"""Objects, recipients and texts of notifications about the reading schedule."""

from __future__ import annotations

import datetime

from django.utils.translation import gettext, ngettext

from activity.dates import format_day
from activity.messages import DeferredMessage, date_message
from activity.models import ObjectRef
from clubs.members.models import Membership
from clubs.reading.models import Entry, Milestone


def milestone_target(pk: int) -> tuple[ObjectRef, DeferredMessage] | None:
    """Return the reference to a milestone and its day, or None if it was deleted."""
    milestone = Milestone.objects.filter(pk=pk).first()
    return None if milestone is None else (milestone.object_ref, date_message(milestone.due_on))


def first_day(entry_id: int) -> str:
    """Return the day on which the club begins to read a book for e-mails; empty if it is not known."""
    day = Entry.objects.filter(pk=entry_id).values_list("starts_on", flat=True).first()
    return gettext("We start on %(day)s.") % {"day": format_day(day)} if day else ""


def users_without_milestone_notice(pk: int) -> list[int]:
    """Return the users (ids) who have read as far as the milestone, or are paused."""
    milestone = Milestone.objects.select_related("entry__club").filter(pk=pk).first()
    if milestone is None:
        return []
    paused = Membership.objects.paused(milestone.entry.club).values_list("user", flat=True)
    return [*milestone.users_past(), *paused]


def render_shift(argument: str) -> str:
    """Return the text about dates that were moved: by how many days, and from which day on."""
    days, _space, since = argument.partition(" ")
    number, day = int(days), format_day(datetime.date.fromisoformat(since))
    if number > 0:
        text = ngettext(
            "everything from %(day)s on is %(count)d day later",
            "everything from %(day)s on is %(count)d days later",
            number,
        )
    else:
        text = ngettext(
            "everything from %(day)s on is %(count)d day earlier",
            "everything from %(day)s on is %(count)d days earlier",
            -number,
        )
    return text % {"day": day, "count": abs(number)}
