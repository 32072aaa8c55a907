"""Tasks of date polls."""

from django.apps import apps

from core.tasks.decorators import task


@task(unique=True)
def close_date_poll(*, poll_id: int) -> None:
    """Close a date poll that is due; do nothing if it is closed or deleted."""
    # The model is not imported, because its module imports this one to enqueue the task.
    poll = apps.get_model("meetings", "DatePoll")._default_manager.filter(pk=poll_id).select_related("club").first()
    if poll is not None:
        poll.close_if_due()
