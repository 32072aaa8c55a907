"""Tasks of ballots."""

from django.apps import apps
from django.utils import timezone

from activity.choices import NotificationKind
from ballots.choices import BallotStatus
from clubs.notifications import notify_members
from core.tasks.decorators import task


@task(unique=True)
def close_ballot(*, ballot_id: int) -> None:
    """Close a ballot that is due; do nothing if it is closed or deleted."""
    # The model is not imported, because its module imports this one to enqueue the task.
    ballot = apps.get_model("ballots", "Ballot").objects.filter(pk=ballot_id).select_related("club").first()
    if ballot is not None:
        ballot.close_if_due()


@task(unique=True)
def notify_closing(*, ballot_id: int) -> None:
    """Notify the members who have not voted that the ballot closes soon, if it is still open."""
    ballot = apps.get_model("ballots", "Ballot").objects.filter(pk=ballot_id, status=BallotStatus.OPEN).first()
    if ballot is not None and ballot.closes_at > timezone.now():
        notify_members(ballot.club_id, NotificationKind.BALLOT_CLOSING, type="ballot", id=ballot_id)
