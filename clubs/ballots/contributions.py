"""What ballots contribute to `bookbridge.api.registry`."""

from bookbridge.api.registry import entry_annotations, export_sections, notification_targets
from clubs.ballots.export import SECTIONS
from clubs.ballots.services import times_considered, told

entry_annotations.register("times_considered", times_considered)
notification_targets.register("ballot", told)
export_sections.register_all(SECTIONS)
