"""The audit log: actions of staff and security events of accounts."""

from core.audit.services import AuditTarget, log_audit_event

__all__ = ["AuditTarget", "log_audit_event"]
