"""What the ballots app contributes to `core.registry`."""

from activity.choices import NotificationKind
from ballots.export import EXPORT_SECTIONS
from ballots.services import is_closed_ballot, notification_target, render_result, times_considered, voters
from core.registry import (
    email_exclusions,
    entry_annotations,
    export_sections,
    message_renderers,
    notification_exclusions,
    notification_targets,
)

entry_annotations.register("times_considered", times_considered)
notification_targets.register("ballot", notification_target)
notification_exclusions.register(NotificationKind.BALLOT_CLOSING, voters)
email_exclusions.register("closed ballots", is_closed_ballot)
message_renderers.register("ballot.result", render_result)
export_sections.register_all(EXPORT_SECTIONS)
