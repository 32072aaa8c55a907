"""Helpers for tests of ballots."""

import datetime
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from ballots.models import Ballot
from clubs.models import Club, Entry
from core.tasks.models import QueuedTask


def url(club: Club, ballot: Ballot | int | None = None, rest: str = "") -> str:
    pk = ballot.pk if isinstance(ballot, Ballot) else ballot
    return f"/api/v1/clubs/{club.pk}/ballots/" + (f"{pk}/{rest}" if pk else "")


def later(**delta: float) -> str:
    """Return a future time as a client writes it."""
    return f"{timezone.now() + datetime.timedelta(**delta):%Y-%m-%dT%H:%M:%SZ}"


def body(entries: Sequence[Entry], **fields: Any) -> dict[str, Any]:
    """Return the request body that creates a ballot on these entries."""
    candidates = [entry.pk for entry in entries]
    return {"title": "Next?", "method": "ranked", "candidates": candidates, "closes_at": later(days=7)} | fields


def poll(club: Club, entries: Sequence[Entry], **fields: Any) -> Ballot:
    """Create a ballot by the club's owner."""
    values = body(entries, closes_at=timezone.now() + datetime.timedelta(days=7)) | fields
    return Ballot.create_ballot(club=club, by=club.owner, **values)


def let_expire(*ballots: Ballot) -> None:
    """Move the closing times, and the tasks that close the ballots, into the past."""
    past = timezone.now() - datetime.timedelta(seconds=1)
    Ballot.objects.filter(pk__in=[ballot.pk for ballot in ballots]).update(closes_at=past)
    # MySQL does not find JSON objects with `__in`.
    for ballot in ballots:
        QueuedTask.objects.filter(kwargs__ballot_id=ballot.pk).update(run_after=past)
