"""Deletion handler of the audit log."""

from accounts.models import User
from core.audit.models import AuditEntry


def anonymize_audit_entries(user: User) -> None:
    """Remove the username and, except for staff actions, the IP address from the audit log."""
    AuditEntry.objects.anonymize(user)
