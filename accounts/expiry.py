"""What accounts leave behind that nobody can use any more."""

from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.departure import depart
from accounts.models import AuthSession, MailToken, User
from bookbridge.api.audit.retention import clear_kept_too_long
from bookbridge.api.pictures import sweep
from bookbridge.api.tasks.cleanup import cleanup_jobs, register_cleanup


def _finish_departures() -> int:
    cut_off = list(User.objects.exclude(leaving="")[:10])
    for user in cut_off:
        depart(user)
    return len(cut_off)


cleanup_jobs["pictures"] = sweep
register_cleanup("sign-ins", lambda: AuthSession.objects.over())
register_cleanup("sessions of the admin", lambda: Session.objects.filter(expire_date__lt=timezone.now()))
cleanup_jobs["audit log"] = clear_kept_too_long
register_cleanup("mailed tokens", lambda: MailToken.objects.filter(expires_at__lt=timezone.now()))
cleanup_jobs["accounts that were cut off while they went"] = _finish_departures
