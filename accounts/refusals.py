"""Passwords that were refused, as the audit log has them: whose account, from where, and how many of them at most."""

from django.utils.crypto import salted_hmac

from accounts.happenings import happened
from bookbridge.api.request_context import current_origin
from bookbridge.api.text import digest_of, identifier_key
from bookbridge.api.throttling import hit, network

HOUR = 3600
# So many are written down in an hour, of one name, of one address, and of all: a flood leaves its trace and does not
# fill the table. Names that somebody has and names that nobody has count alike, so that no time tells them apart.
OF_A_NAME, OF_AN_ADDRESS, OF_ALL = 20, 200, 10_000


def refused(verb: str, name: str, *, user: int | None, actor: int | None = None, detail: str = "") -> None:
    """Tell that a password was refused to whoever gave this name; `user` is the account that has it.

    A name that nobody has may be a password, so only its digest is kept.
    """
    digest = salted_hmac("refused", identifier_key(name), algorithm="sha256").hexdigest()[:12]
    limits = (
        (f"name {digest}", OF_A_NAME),
        (f"address {network(current_origin().address)}", OF_AN_ADDRESS),
        ("all", OF_ALL),
    )
    if all(hit(f"refused:{digest_of(key)[:32]}", HOUR)[0] <= most for key, most in limits):
        happened(verb, user, actor=actor, detail=detail or ("" if user else f"name {digest}"))
