"""Cleanup of expired rows and interrupted account deletions."""

from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.departure import depart
from accounts.models import AuthSession, MailToken, User
from bookbridge.api.audit.retention import clear_kept_too_long
from bookbridge.api.expiry import chores, expires
from bookbridge.api.pictures import sweep


def _finish_departures() -> int:
    pending = list(User.objects.exclude(leaving="")[:10])
    for user in pending:
        depart(user)
    return len(pending)


chores["pictures"] = sweep
expires("sessions", lambda: AuthSession.objects.over())
expires("admin sessions", lambda: Session.objects.filter(expire_date__lt=timezone.now()))
chores["audit log"] = clear_kept_too_long
expires("e-mail tokens", lambda: MailToken.objects.filter(expires_at__lt=timezone.now()))
chores["interrupted account deletions"] = _finish_departures
