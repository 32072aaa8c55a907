"""What the ballots app contributes to `core.registry`."""

from ballots.export import EXPORT_SECTIONS
from ballots.services import notification_target, times_considered
from core.registry import entry_annotations, export_sections, notification_targets

entry_annotations.register("times_considered", times_considered)
notification_targets.register("ballot", notification_target)
export_sections.register_all(EXPORT_SECTIONS)
