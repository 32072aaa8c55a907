"""What happens to accounts, told to the apps above: the activity log, the audit log and security notices listen."""

from typing import NamedTuple, Protocol

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


class Listener(Protocol):
    """Hears of each happening, within the transaction that makes it so."""

    def __call__(self, happening: Happening) -> None:
        """Write it down, or tell somebody."""


listeners: list[Listener] = []


def happened(
    verb: str, user: int | None, *, actor: int | None = None, object_id: int | None = None, detail: str = ""
) -> None:
    """Write it into the audit log where it touches the account's safety, and tell everybody who listens."""
    kind = verb.partition(".")[0]
    if kind in AUDITED:
        who = user if actor is None and not verb.endswith("refused") else actor
        target = None if user is None else Target("accounts.user", user)
        audit(verb, by=who, target=target, detail=detail, refused=verb in REFUSALS)
    for listener in listeners:
        listener(Happening(verb, user, actor, object_id, detail))
