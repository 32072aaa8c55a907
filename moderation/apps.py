from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ModerationConfig(AppConfig):
    """Reports, and what staff decide."""

    name = "moderation"
    verbose_name = _("Moderation")

    def ready(self) -> None:
        """Let readers be reported, part accounts that go from their cases, tell what is held, show staff what waits."""
        from accounts import departure
        from accounts.export import sections
        from bookbridge.api.admin.dashboard import panels
        from bookbridge.api.audit import retention
        from moderation.departure import leave_cases
        from moderation.desk import panel
        from moderation.export import SECTIONS
        from moderation.models import Opening
        from moderation.people import UserTarget
        from moderation.targets import register

        register(UserTarget())
        retention.logs.append(Opening.objects.older_than)
        departure.parts.append(leave_cases)
        panels.insert(0, panel)  # what waits for somebody comes first
        sections.update(SECTIONS)
        sections.update(SECTIONS)
