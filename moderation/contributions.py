"""What moderation contributes to `bookbridge.api.registry`."""

from bookbridge.api.registry import admin_panels, audit_logs, export_sections, message_renderers, report_targets
from moderation.desk import panel
from moderation.export import SECTIONS
from moderation.models import Opening
from moderation.people import UserTarget
from moderation.telling import render_decision

report_targets.register(UserTarget.word, UserTarget())
audit_logs.register("opened cases", Opening.objects.older_than)
# What waits for somebody comes first.
admin_panels.register("moderation", panel, first=True)
export_sections.register_all(SECTIONS)
message_renderers.register("decision", render_decision)
