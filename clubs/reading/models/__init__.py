"""Models of the reading package."""

from clubs.reading.models.archive import ArchivedEntry, ArchivedProgress
from clubs.reading.models.consents import SpoilerConsent
from clubs.reading.models.entries import Entry, notification_target, removal_changes, renumber
from clubs.reading.models.history import NOTE_LENGTH, EntryChange
from clubs.reading.models.milestones import MAX_CHAPTERS, Milestone
from clubs.reading.models.progress import Progress, ProgressQuerySet, lock_membership, percent_field
from clubs.reading.models.sections import MAX_SECTIONS, SECTION_TITLE_LENGTH, Section, SectionQuerySet

__all__ = [
    "MAX_CHAPTERS",
    "MAX_SECTIONS",
    "NOTE_LENGTH",
    "SECTION_TITLE_LENGTH",
    "ArchivedEntry",
    "ArchivedProgress",
    "Entry",
    "EntryChange",
    "Milestone",
    "Progress",
    "ProgressQuerySet",
    "Section",
    "SectionQuerySet",
    "SpoilerConsent",
    "lock_membership",
    "notification_target",
    "percent_field",
    "removal_changes",
    "renumber",
]
