"""Account events, such as sign-ins, password changes and account deletion. Other apps connect to the signal."""

from typing import NamedTuple

from accounts.signals import account_event
from core.audit import AuditTarget, log_audit_event

AUDITED_PREFIXES = ("account", "email", "factor", "password", "session", "sessions", "staff")
REFUSED_VERBS = ("password.refused", "session.refused", "session.reused", "staff.code_refused", "staff.refused")


class AccountEvent(NamedTuple):
    """An event of an account.

    `verb` is the event type (`session.created`, `password.changed`, ...). `user` is the id of the account, or None if
    no account has the given name. `actor` is the id of the acting user, if different. `object_id` is the id of the
    session or account concerned. `detail` is a short text without secrets, such as the device name.
    """

    verb: str
    user: int | None
    actor: int | None = None
    object_id: int | None = None
    detail: str = ""


def emit(
    verb: str, user: int | None, *, actor: int | None = None, object_id: int | None = None, detail: str = ""
) -> None:
    """Record a security event in the audit log and send the signal `account_event`."""
    kind = verb.partition(".")[0]
    if kind in AUDITED_PREFIXES:
        by = user if actor is None and not verb.endswith("refused") else actor
        target = None if user is None else AuditTarget("accounts.user", user)
        log_audit_event(verb, by=by, target=target, detail=detail, refused=verb in REFUSED_VERBS)
    account_event.send(AccountEvent, event=AccountEvent(verb, user, actor, object_id, detail))
