"""Tasks of ballots."""

from django.apps import apps

from core.tasks.decorators import task


@task(unique=True)
def close_ballot(*, ballot_id: int) -> None:
    """Close a ballot that is due; do nothing if it is closed or deleted."""
    # The model is not imported, because its module imports this one to enqueue the task.
    ballot = apps.get_model("ballots", "Ballot").objects.filter(pk=ballot_id).select_related("club").first()
    if ballot is not None:
        ballot.close_if_due()
