"""Retention of the audit log and of other logs about the work of staff."""

import datetime

from django.conf import settings

from core.audit.services import log_audit_event
from core.registry import audit_logs

BATCH_SIZE = 2_000


def prune(age: datetime.timedelta, *, max_rows: int | None = None) -> int:
    """Delete entries older than `age` in batches and return their number.

    The deletion itself is logged first, so that it has an entry even if it is interrupted.
    """
    expired = [rows for log in audit_logs.values() if (rows := log(age)).exists()]
    if expired:
        log_audit_event("audit.cleared", by=None, detail=f"older than {age.days} days")
    count = 0
    for rows in expired:
        while (max_rows is None or count < max_rows) and (
            ids := list(rows.order_by("created_at").values_list("pk", flat=True)[:BATCH_SIZE])
        ):
            deleted, _rows = rows.model._base_manager.filter(pk__in=ids).delete()
            count += deleted
    return count


def count_prunable(age: datetime.timedelta) -> int:
    """Return how many entries `prune` would delete."""
    return sum(log(age).count() for log in audit_logs.values())


def prune_expired() -> int:
    """Delete some of the entries older than AUDIT_DAYS, if set. Called by the daily cleanup."""
    return prune(datetime.timedelta(days=settings.AUDIT_DAYS), max_rows=20_000) if settings.AUDIT_DAYS else 0
