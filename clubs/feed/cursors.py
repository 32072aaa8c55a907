"""Cursors of `GET users/me/changes/`: signed, and valid for one user."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

from django.core import signing
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.api.exceptions import APIProblem

# A cursor is good for this many days after the day on which it was issued.
LIFETIME_DAYS = 30


@dataclass
class Cursor:
    """What a user has read.

    Everything up to `position`, in the order of `clubs.feed.changes`; if `inner` is lower, the backlog of the club that
    was joined with that change is read up to `inner`. `counts` has the number of changes by stream that are later than
    `settled`: no transaction that might add a change up to there is open any more. `until` is where the first reading
    of everything ends, 0 afterwards.
    """

    position: int
    inner: int
    settled: int
    until: int = 0
    day: int = 0
    counts: dict[int, int] = field(default_factory=dict)

    def to_text(self, user: int) -> str:
        """Return the cursor as the client gets it. It is the same on the same day if nothing has changed."""
        values = [self.day, self.position, self.inner, self.settled, self.until, sorted(self.counts.items())]
        return _signer(user).sign_object(values, compress=True)

    @classmethod
    def from_text(cls, text: str, user: int) -> Cursor:
        """Return a cursor. Raises APIProblem `invalid_cursor`, also for another user's, or `cursor_expired`."""
        try:
            day, position, inner, settled, until, counts = _signer(user).unsign_object(text)
        except (signing.BadSignature, ValueError):
            raise APIProblem(400, "invalid_cursor", _("This cursor is not valid.")) from None
        if today() - day > LIFETIME_DAYS:
            raise APIProblem(410, "cursor_expired", _("This cursor has expired. Read everything again."))
        return cls(position, inner, settled, until, day, dict(counts))


def today() -> int:
    """Return the number of the current day, in UTC."""
    return timezone.now().astimezone(datetime.UTC).toordinal()


def _signer(user: int) -> Any:
    return signing.Signer(salt=f"changes:{user}")
