"""What the reviews app contributes to `core.registry`."""

from core.registry import (
    admin_panels,
    book_fields,
    column_checks,
    counter_checks,
    export_sections,
    merge_handlers,
    report_targets,
    user_panels,
)
from reviews.admin_dashboard import reviews_panel, user_reviews_panel
from reviews.consistency import COLUMN_CHECKS, COUNTER_CHECKS
from reviews.export import EXPORT_SECTIONS
from reviews.merges import ReviewMergeHandler
from reviews.moderation import ReviewTarget
from reviews.serializers import MyReviewField

admin_panels.register("reviews", reviews_panel)
user_panels.register("reviews", user_reviews_panel)
book_fields.register("my_review", MyReviewField)
report_targets.register(ReviewTarget.target_type, ReviewTarget())
export_sections.register_all(EXPORT_SECTIONS)
merge_handlers.register("reviews", ReviewMergeHandler())
column_checks.register_all({check.name: check for check in COLUMN_CHECKS})
counter_checks.register_all(COUNTER_CHECKS)
