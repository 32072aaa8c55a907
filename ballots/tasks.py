"""Tasks of ballots."""

from django.apps import apps

from core.tasks.decorators import task


@task(unique=True)
def close_ballot(*, ballot: int) -> None:
    """Close a ballot that is due; do nothing if it is closed or deleted."""
    # The model is not imported, because its module imports this one to enqueue the task.
    row = apps.get_model("ballots", "Ballot").objects.filter(pk=ballot).select_related("club").first()
    if row is not None:
        row.close_if_due()
