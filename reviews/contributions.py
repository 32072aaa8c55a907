"""What reviews contribute to `bookbridge.api.registry`."""

from bookbridge.api.registry import (
    admin_panels,
    column_checks,
    counter_checks,
    export_sections,
    merge_handlers,
    report_targets,
)
from reviews.checks import CHECKS, TOTALS
from reviews.export import SECTIONS
from reviews.merging import Reviews
from reviews.moderation import ReviewTarget
from reviews.panel import panel

admin_panels.register("reviews", panel)
report_targets.register(ReviewTarget.word, ReviewTarget())
export_sections.register_all(SECTIONS)
merge_handlers.register("reviews", Reviews())
column_checks.register_all({check.name: check for check in CHECKS})
counter_checks.register_all(TOTALS)
