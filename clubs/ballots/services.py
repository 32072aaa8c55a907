"""Ballot functions for other modules, and the task that closes ballots."""

from typing import Any

from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce

from activity.models import Thing
from bookbridge.api.jobs import job
from clubs.ballots.models import Ballot, Candidate


@job("ballots.close")
def close(*, ballot: int) -> None:
    """Close a due ballot, unless it was closed or deleted in the meantime."""
    found = Ballot.objects.filter(pk=ballot).select_related("club").first()
    if found is not None:
        found.close_if_due()


def told(pk: int) -> tuple[Thing, str] | None:
    """Return the reference to a ballot for notifications, or None if it was deleted."""
    ballot = Ballot.objects.filter(pk=pk).only("title").first()
    return None if ballot is None else (ballot.thing, "")


def times_considered() -> Any:
    """Return an expression for entries: the number of closed ballots that the entry did not win."""
    lost = Candidate.objects.lost().filter(entry=OuterRef("pk")).order_by()
    return Coalesce(Subquery(lost.values("entry").annotate(n=Count("pk")).values("n")), 0, output_field=IntegerField())
