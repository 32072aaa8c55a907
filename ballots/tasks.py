"""Closing ballots."""

from django.apps import apps

from core.tasks.decorators import task


@task(unique=True)
def close_ballot(*, ballot: int) -> None:
    """Close a ballot that is due; do nothing if it is closed or deleted."""
    # The model enqueues this task, so its module imports this one.
    found = apps.get_model("ballots", "Ballot").objects.filter(pk=ballot).select_related("club").first()
    if found is not None:
        found.close_if_due()
