"""Accounts panel of the admin dashboard."""

import datetime

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.admin.dashboard import Panel, format_capped_count
from core.audit.models import AuditEntry, Outcome


def accounts_panel(request: HttpRequest) -> Panel | None:
    """Return the numbers of new users, and of failed logins and denied requests, in the last 24 hours."""
    if not request.user.has_perm("accounts.change_user"):
        return None
    day_ago = timezone.now() - datetime.timedelta(days=1)
    users, log = reverse("admin:accounts_user_changelist"), reverse("admin:core_auditentry_changelist")
    refused = AuditEntry.objects.filter(outcome=Outcome.REFUSED, created_at__gt=day_ago)
    rows = [
        (_("new users in 24 hours"), format_capped_count(User.objects.filter(joined_at__gt=day_ago)), users),
        (
            _("failed logins and denied requests in 24 hours"),
            format_capped_count(refused),
            f"{log}?outcome__exact=refused",
        ),
    ]
    return Panel(_("Accounts"), rows)
