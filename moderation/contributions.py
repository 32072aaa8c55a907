"""What the moderation app contributes to `core.registry`."""

from core.registry import admin_panels, audit_logs, export_sections, message_renderers, report_targets
from moderation.admin_dashboard import moderation_panel
from moderation.export import EXPORT_SECTIONS
from moderation.models import CaseView
from moderation.notifications import render_decision, render_hiding_penalty
from moderation.targets.users import UserTarget

report_targets.register(UserTarget.target_type, UserTarget())
audit_logs.register("opened cases", CaseView.objects.older_than)
# First, because it shows open work.
admin_panels.register("moderation", moderation_panel, first=True)
export_sections.register_all(EXPORT_SECTIONS)
message_renderers.register("decision", render_decision)
message_renderers.register("hiding_penalty", render_hiding_penalty)
