"""Audit log entries of failed logins, limited per name, per network and in total."""

from django.utils.crypto import salted_hmac

from accounts.events import emit
from core.api.throttling import increment, network_prefix
from core.observability.request_context import get_client_info
from core.search.normalize import normalize_identifier, sha256_hex

HOUR = 3600
# Entries per hour and name, network and in total, so that an attack is visible but cannot fill the table. Existing and
# unknown names are treated alike, so that the response time does not reveal accounts.
MAX_PER_NAME, MAX_PER_IP, MAX_TOTAL = 20, 200, 10_000


def record_login_failure(verb: str, name: str, *, user: int | None, actor: int | None = None, detail: str = "") -> None:
    """Record a failed login with this name; `user` is the id of the account with the name, if any.

    For an unknown name only a digest is stored, because users sometimes type their password as the name.
    """
    digest = salted_hmac("record_login_failure", normalize_identifier(name), algorithm="sha256").hexdigest()[:12]
    limits = (
        (f"name {digest}", MAX_PER_NAME),
        (f"address {network_prefix(get_client_info().address)}", MAX_PER_IP),
        ("all", MAX_TOTAL),
    )
    if all(increment(f"refused:{sha256_hex(key)[:32]}", HOUR)[0] <= limit for key, limit in limits):
        emit(verb, user, actor=actor, detail=detail or ("" if user else f"name {digest}"))
