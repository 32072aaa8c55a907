"""What the core app contributes to `core.registry`."""

from core.audit.models import AuditEntry
from core.registry import audit_logs

audit_logs.register("audit log", AuditEntry.objects.older_than)
