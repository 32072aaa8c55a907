"""Deletion handler of the audit log."""

from accounts.models import User
from bookbridge.api.audit.models import AuditEntry


def forget(user: User) -> None:
    """Remove the username and, except for staff actions, the IP address from the audit log."""
    AuditEntry.objects.forget(user)
