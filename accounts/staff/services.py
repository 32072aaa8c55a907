"""Deletion handler of the audit log."""

from accounts.models import User
from bookbridge.api.audit.models import AuditEntry


def forget(user: User, *, anonymise: bool) -> None:
    """Remove the username and addresses from the audit log; the entries of staff actions stay."""
    AuditEntry.objects.forget(user)
