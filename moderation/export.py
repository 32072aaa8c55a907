"""Data export of moderation: a user's reports and appeals, and the decisions about them.

Excludes who reported the user, and who decided.
"""

from accounts.export import iter_rows
from moderation.models import Appeal, Decision, Report

TARGET_FIELDS = {"target_type": "case__target_type", "target_id": "case__target_id"}

EXPORT_SECTIONS = {
    "reports": lambda user: iter_rows(
        Report.objects.filter(reporter=user), "reason", "note", "created_at", **TARGET_FIELDS
    ),
    "decisions": lambda user: iter_rows(
        Decision.objects.filter(subject=user), "action", "reason", "comment", "until", "created_at", **TARGET_FIELDS
    ),
    "appeals": lambda user: iter_rows(
        Appeal.objects.filter(author=user), "decision", "text", "created_at", **TARGET_FIELDS
    ),
}
