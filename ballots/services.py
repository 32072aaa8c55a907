"""Functions of ballots for other apps."""

from typing import Any

from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext

from activity.choices import NotificationKind
from activity.messages import DeferredMessage, time_message
from activity.models import Notification, ObjectRef
from ballots.choices import BallotStatus, Outcome
from ballots.models import Ballot, Candidate, Vote


def notification_target(pk: int) -> tuple[ObjectRef, DeferredMessage] | None:
    """Return the reference to a ballot and its closing time, or None if it was deleted."""
    ballot = Ballot.objects.filter(pk=pk).select_related("club").first()
    return None if ballot is None else (ballot.object_ref, time_message(ballot.closes_at, ballot.club.timezone))


def voters(pk: int) -> list[int]:
    """Return the users (ids) who have voted."""
    return list(Vote.objects.filter(ballot=pk).values_list("user", flat=True))


def is_closed_ballot(notification: Notification) -> bool:
    """Return whether the notification asks for votes in a ballot that is closed or deleted."""
    if notification.kind not in (NotificationKind.BALLOT_OPENED, NotificationKind.BALLOT_CLOSING):
        return False
    return not Ballot.objects.filter(pk=notification.object_id or 0, status=BallotStatus.OPEN).exists()


def render_result(argument: str) -> str:
    """Return the text about the result of a ballot."""
    outcome, _space, title = argument.partition(" ")
    if outcome == Outcome.WINNER:
        return gettext("“%(title)s” was chosen") % {"title": title}
    return gettext("too few members voted") if outcome == Outcome.NO_QUORUM else gettext("nobody voted")


def times_considered() -> Any:
    """Return an expression for entries: the number of closed ballots that the entry did not win."""
    not_won = Candidate.objects.not_won().filter(entry=OuterRef("pk")).order_by()
    return Coalesce(
        Subquery(not_won.values("entry").annotate(n=Count("pk")).values("n")), 0, output_field=IntegerField()
    )
