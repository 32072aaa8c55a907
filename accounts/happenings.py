"""What happens to accounts, told to the apps above: the activity log, the audit log and security notices listen."""

from typing import NamedTuple

from accounts.signals import account_event
from bookbridge.api.audit import Target, audit

AUDITED = ("account", "email", "factor", "password", "session", "sessions", "staff")
REFUSALS = ("password.refused", "session.refused", "session.reused", "staff.code_refused", "staff.refused")


class Happening(NamedTuple):
    """One thing that happened to an account.

    `verb` is what (`session.created`, `password.changed`, `session.refused`, ...); `user` whose account, None where
    nobody is known by that name; `actor` who did it, where that was somebody else; `object_id` the row it is about (a
    sign-in's, an account's); `detail` a few words without secrets (a device).
    """

    verb: str
    user: int | None
    actor: int | None = None
    object_id: int | None = None
    detail: str = ""


def happened(
    verb: str, user: int | None, *, actor: int | None = None, object_id: int | None = None, detail: str = ""
) -> None:
    """Write it into the audit log where it touches the account's safety, and tell everybody who listens."""
    kind = verb.partition(".")[0]
    if kind in AUDITED:
        who = user if actor is None and not verb.endswith("refused") else actor
        target = None if user is None else Target("accounts.user", user)
        audit(verb, by=who, target=target, detail=detail, refused=verb in REFUSALS)
    account_event.send(Happening, event=Happening(verb, user, actor, object_id, detail))
