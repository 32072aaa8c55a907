"""Data export of moderation: a user's reports and appeals, and the decisions about them.

Excludes who reported the user, and who decided.
"""

from accounts.export import rows
from moderation.models import Appeal, Decision, Report

ABOUT = {"target_type": "case__target_type", "target_id": "case__target_id"}

SECTIONS = {
    "reports": lambda user: rows(Report.objects.filter(reporter=user), "reason", "note", "at", **ABOUT),
    "decisions": lambda user: rows(
        Decision.objects.filter(subject=user), "action", "ground", "words", "until", "at", **ABOUT
    ),
    "appeals": lambda user: rows(Appeal.objects.filter(author=user), "decision", "text", "at", **ABOUT),
}
