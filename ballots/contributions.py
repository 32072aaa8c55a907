"""What the ballots app contributes to `core.registry`."""

from activity.choices import NotificationKind
from ballots.export import EXPORT_SECTIONS
from ballots.services import notification_target, render_result, times_considered, voters
from core.registry import (
    entry_annotations,
    export_sections,
    message_renderers,
    notification_exclusions,
    notification_targets,
)

entry_annotations.register("times_considered", times_considered)
notification_targets.register("ballot", notification_target)
notification_exclusions.register(NotificationKind.BALLOT_CLOSING, voters)
message_renderers.register("ballot.result", render_result)
export_sections.register_all(EXPORT_SECTIONS)
