"""Functions of ballots for other apps."""

from typing import Any

from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce

from activity.models import ObjectRef
from ballots.models import Ballot, Candidate


def notification_target(pk: int) -> tuple[ObjectRef, str] | None:
    """Return the reference to a ballot for notifications, or None if it was deleted."""
    ballot = Ballot.objects.filter(pk=pk).only("title").first()
    return None if ballot is None else (ballot.object_ref, "")


def times_considered() -> Any:
    """Return an expression for entries: the number of closed ballots that the entry did not win."""
    not_won = Candidate.objects.not_won().filter(entry=OuterRef("pk")).order_by()
    return Coalesce(
        Subquery(not_won.values("entry").annotate(n=Count("pk")).values("n")), 0, output_field=IntegerField()
    )
