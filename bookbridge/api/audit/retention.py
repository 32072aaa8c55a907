"""How long the audit log is kept, and what else is written down about the work of staff."""

import datetime

from django.conf import settings

from bookbridge.api.audit.writing import audit
from bookbridge.api.registry import audit_logs

BATCH = 2_000


def clear(age: datetime.timedelta, *, most: int | None = None) -> int:
    """Delete the entries that are older, some thousands in a transaction, and note it; how many there were.

    The note is written first: what is cut off in between has its entry too.
    """
    parts = [rows for log in audit_logs.values() if (rows := log(age)).exists()]
    if parts:
        audit("audit.cleared", by=None, detail=f"older than {age.days} days")
    count = 0
    for old in parts:
        while (most is None or count < most) and (ids := list(old.order_by("at").values_list("pk", flat=True)[:BATCH])):
            deleted, _rows = old.model._base_manager.filter(pk__in=ids).delete()
            count += deleted
    return count


def count_old(age: datetime.timedelta) -> int:
    """How many entries `clear` would delete."""
    return sum(log(age).count() for log in audit_logs.values())


def clear_kept_too_long() -> int:
    """Delete a part of what is older than AUDIT_DAYS, if there is such a limit; the daily clearing does."""
    return clear(datetime.timedelta(days=settings.AUDIT_DAYS), most=20_000) if settings.AUDIT_DAYS else 0
