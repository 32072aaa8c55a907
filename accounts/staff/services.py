"""What becomes of the audit log where an account goes."""

from accounts.models import User
from bookbridge.api.audit.models import AuditEntry


def forget(user: User) -> None:
    """What the account was called and where it was is forgotten; what it did as staff is not."""
    AuditEntry.objects.forget(user)
