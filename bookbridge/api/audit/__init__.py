"""The audit log: actions of staff and security events of accounts."""

from bookbridge.api.audit.writing import Target, audit

__all__ = ["Target", "audit"]
