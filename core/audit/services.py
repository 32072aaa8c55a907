"""Writing of audit entries, in the current transaction if there is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import models

from core.audit.models import AGENT_LENGTH, DETAIL_LENGTH, REASON_LENGTH, TITLE_LENGTH, AuditEntry, Outcome
from core.observability.request_context import current_request_id, get_client_info

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

MAX_VALUE_LENGTH = 500
# Fields whose names contain one of these are redacted.
REDACTED_FIELDS = ("password", "secret", "token", "digest", "code")
REDACTED = "•••"


class AuditTarget(NamedTuple):
    """The object of an entry: model label (`accounts.user`), id and title at the time."""

    type: str
    id: int | None
    title: str = ""


def log_audit_event(
    verb: str,
    *,
    by: AbstractBaseUser | AnonymousUser | int | None,
    target: models.Model | AuditTarget | None = None,
    reason: str = "",
    detail: str = "",
    changes: Mapping[str, tuple[Any, Any]] | None = None,
    refused: bool = False,
) -> None:
    """Log that `by` (an account or its id) did `verb` (such as `review.hidden`) to `target`, or was denied it.

    `changes` maps fields to old and new values; values of secret fields are redacted. Never pass a password, a token or
    the text of a post.
    """
    client, audit_target = get_client_info(), to_audit_target(target)
    actor = by if isinstance(by, int) or by is None else by.pk
    request_id = current_request_id()
    AuditEntry.objects.create(
        verb=verb,
        outcome=Outcome.REFUSED if refused else Outcome.DONE,
        actor=actor,
        actor_name=getattr(by, "username", ""),
        by_staff=bool(getattr(by, "is_staff", False)),
        target_type=audit_target.type,
        target_id=audit_target.id,
        target_title=_clean(audit_target.title, TITLE_LENGTH),
        changes={name: _serialize_change(name, pair) for name, pair in (changes or {}).items()},
        reason=_clean(reason, REASON_LENGTH),
        detail=_clean(detail, DETAIL_LENGTH),
        ip_address=client.address,
        user_agent=_clean(client.user_agent, AGENT_LENGTH),
        request_id="" if request_id == "-" else request_id,
    )


def to_audit_target(obj: models.Model | AuditTarget | None) -> AuditTarget:
    """Convert an object to the target of an entry."""
    if isinstance(obj, models.Model):
        pk = obj.pk if isinstance(obj.pk, int) else None
        return AuditTarget(obj._meta.label_lower, pk, str(obj))
    return obj or AuditTarget("", None)


def _serialize_change(name: str, pair: tuple[Any, Any]) -> list[Any]:
    if any(word in name.lower() for word in REDACTED_FIELDS):
        return [REDACTED, REDACTED]
    return [_serialize_value(value) for value in pair]


def _serialize_value(value: Any) -> Any:
    """Return a value that can be stored as JSON: short, flat and without invalid characters."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, models.QuerySet | list | tuple | set):
        return [_clean(str(item), MAX_VALUE_LENGTH) for item in list(value)[:100]]
    return _clean(str(value), MAX_VALUE_LENGTH)


def _clean(text: Any, length: int) -> str:
    clean = str(text).encode("utf-8", "replace").decode().replace("\x00", "")
    return clean if len(clean) <= length else clean[: length - 1] + "…"
