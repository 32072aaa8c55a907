"""What the accounts app contributes to `core.registry`."""

from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.admin_dashboard import accounts_panel
from accounts.deletion import finish_deletions
from accounts.export import EXPORT_SECTIONS
from accounts.models import AVATAR_FOLDER, AuthSession, EmailToken, User
from core.audit.retention import prune_expired
from core.counters.consistency import monthly_counter_check
from core.images.storage import delete_orphans
from core.registry import admin_panels, cleanups, counter_checks, export_sections, image_folders
from core.tasks.cleanup import register_cleanup

admin_panels.register("accounts", accounts_panel)
image_folders.register(AVATAR_FOLDER, User.objects.avatar_names)
export_sections.register_all(EXPORT_SECTIONS)
counter_checks.register(
    "total of users", monthly_counter_check("users", "joined_at", lambda: User.objects.filter(is_active=True))
)

cleanups.register("images", delete_orphans)
register_cleanup("sessions", AuthSession.objects.expired)
register_cleanup("admin sessions", lambda: Session.objects.filter(expire_date__lt=timezone.now()))
cleanups.register("audit log", prune_expired)
register_cleanup("e-mail tokens", lambda: EmailToken.objects.filter(expires_at__lt=timezone.now()))
cleanups.register("interrupted account deletions", finish_deletions)
