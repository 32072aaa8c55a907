"""What this package itself contributes to `bookbridge.api.registry`."""

from bookbridge.api.audit.models import AuditEntry
from bookbridge.api.registry import audit_logs

audit_logs.register("audit log", AuditEntry.objects.older_than)
