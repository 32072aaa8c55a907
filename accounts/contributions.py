"""What accounts contribute to `bookbridge.api.registry`."""

from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.expiry import finish_deletions
from accounts.export import SECTIONS
from accounts.models import AVATARS, AuthSession, MailToken, User
from accounts.staff.panel import panel
from bookbridge.api.audit.retention import clear_kept_too_long
from bookbridge.api.counters import recount_by_month
from bookbridge.api.expiry import expires
from bookbridge.api.pictures import sweep
from bookbridge.api.registry import (
    admin_panels,
    cleanups,
    counter_checks,
    export_sections,
    image_folders,
)

admin_panels.register("accounts", panel)
image_folders.register(AVATARS, User.objects.avatars)
export_sections.register_all(SECTIONS)
counter_checks.register(
    "total of users", recount_by_month("users", "joined_at", lambda: User.objects.filter(is_active=True))
)

cleanups.register("pictures", sweep)
expires("sessions", lambda: AuthSession.objects.over())
expires("admin sessions", lambda: Session.objects.filter(expire_date__lt=timezone.now()))
cleanups.register("audit log", clear_kept_too_long)
expires("e-mail tokens", lambda: MailToken.objects.filter(expires_at__lt=timezone.now()))
cleanups.register("interrupted account deletions", finish_deletions)
