"""What of accounts is on the front page of the admin."""

import datetime

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from bookbridge.api.admin.dashboard import Panel, counted
from bookbridge.api.audit.models import AuditEntry, Outcome


def panel(request: HttpRequest) -> Panel | None:
    """Who has come, and who was kept out, in the last day."""
    if not request.user.has_perm("accounts.change_user"):
        return None
    day_ago = timezone.now() - datetime.timedelta(days=1)
    readers, log = reverse("admin:accounts_user_changelist"), reverse("admin:api_auditentry_changelist")
    refused = AuditEntry.objects.filter(outcome=Outcome.REFUSED, at__gt=day_ago)
    rows = [
        (_("new readers in a day"), counted(User.objects.filter(joined_at__gt=day_ago)), readers),
        (_("refusals in a day"), counted(refused), f"{log}?outcome__exact=refused"),
    ]
    return Panel(_("Accounts"), rows)
