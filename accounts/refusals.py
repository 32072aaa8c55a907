"""Audit log entries of failed logins, limited per name, per network and in total."""

from django.utils.crypto import salted_hmac

from accounts.happenings import happened
from bookbridge.api.request_context import current_origin
from bookbridge.api.text import digest_of, identifier_key
from bookbridge.api.throttling import hit, network

HOUR = 3600
# Entries per hour and name, network and in total, so that an attack is visible but cannot fill the table. Existing and
# unknown names are treated alike, so that the response time does not reveal accounts.
OF_A_NAME, OF_AN_ADDRESS, OF_ALL = 20, 200, 10_000


def refused(verb: str, name: str, *, user: int | None, actor: int | None = None, detail: str = "") -> None:
    """Record a failed login with this name; `user` is the id of the account with the name, if any.

    For an unknown name only a digest is stored, because users sometimes type their password as the name.
    """
    digest = salted_hmac("refused", identifier_key(name), algorithm="sha256").hexdigest()[:12]
    limits = (
        (f"name {digest}", OF_A_NAME),
        (f"address {network(current_origin().address)}", OF_AN_ADDRESS),
        ("all", OF_ALL),
    )
    if all(hit(f"refused:{digest_of(key)[:32]}", HOUR)[0] <= limit for key, limit in limits):
        happened(verb, user, actor=actor, detail=detail or ("" if user else f"name {digest}"))
