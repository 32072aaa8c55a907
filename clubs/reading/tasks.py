"""Tasks of reading lists."""

from __future__ import annotations

import datetime

from django.apps import apps

from activity.choices import NotificationKind
from clubs.notifications import notify_members
from core.tasks.decorators import task

# The club does not read books in any other status.
STATUSES = ("planned", "reading")


@task(unique=True)
def notify_milestone_due(*, milestone_id: int, due_on: str) -> None:
    """Notify the members on the day before a milestone, unless it was moved or its book is not read any more."""
    # The model is not imported, because its module imports this one to enqueue the task.
    milestones = apps.get_model("clubs", "Milestone").objects.filter(pk=milestone_id, due_on=due_on)
    milestone = milestones.filter(entry__status__in=STATUSES).select_related("entry__club").first()
    if milestone is None or milestone.due_on != milestone.entry.club.today + datetime.timedelta(1):
        return
    notify_members(
        milestone.entry.club_id, NotificationKind.MILESTONE_DUE, type="milestone", id=milestone_id, key=due_on
    )
