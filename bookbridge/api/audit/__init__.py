"""The audit log: who did what, when, from where and why; of staff, and of whatever touches an account's safety."""

from bookbridge.api.audit.writing import Target, audit

__all__ = ["Target", "audit"]
