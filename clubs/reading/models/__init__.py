"""Models of the reading package."""

from clubs.reading.models.archive import ArchivedEntry, ArchivedProgress
from clubs.reading.models.entries import Entry, EntryQuerySet, notification_target, removal_changes, renumber
from clubs.reading.models.history import NOTE_LENGTH, EntryChange
from clubs.reading.models.milestones import MAX_CHAPTERS, Milestone
from clubs.reading.models.progress import Progress, ProgressQuerySet, percent_field

__all__ = [
    "MAX_CHAPTERS",
    "NOTE_LENGTH",
    "ArchivedEntry",
    "ArchivedProgress",
    "Entry",
    "EntryChange",
    "EntryQuerySet",
    "Milestone",
    "Progress",
    "ProgressQuerySet",
    "notification_target",
    "percent_field",
    "removal_changes",
    "renumber",
]
