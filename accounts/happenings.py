"""Account events: sign-in, password change, account deletion and the like. Higher apps register handlers."""

from typing import NamedTuple

from accounts.signals import account_event
from bookbridge.api.audit import Target, audit

AUDITED = ("account", "email", "factor", "password", "session", "sessions", "staff")
REFUSALS = ("password.refused", "session.refused", "session.reused", "staff.code_refused", "staff.refused")


class Happening(NamedTuple):
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


def happened(
    verb: str, user: int | None, *, actor: int | None = None, object_id: int | None = None, detail: str = ""
) -> None:
    """Record a security event in the audit log and call every handler."""
    kind = verb.partition(".")[0]
    if kind in AUDITED:
        by = user if actor is None and not verb.endswith("refused") else actor
        target = None if user is None else Target("accounts.user", user)
        audit(verb, by=by, target=target, detail=detail, refused=verb in REFUSALS)
    account_event.send(Happening, event=Happening(verb, user, actor, object_id, detail))
