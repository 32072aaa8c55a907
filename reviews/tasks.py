"""Importing reviews from files."""

import time

from core.tasks.decorators import task
from reviews.imports.runner import ImportRunner
from reviews.models import ReviewImport, SupersededError

# After this long other tasks have their turn.
MAX_SECONDS_PER_RUN = 2.0


def notify_failure(*, id: int) -> None:
    """Record that an import failed, and notify its user."""
    for work in ReviewImport.objects.open().defer("content").filter(pk=id):
        work.fail("gave_up")


@task(atomic=False, on_failure=notify_failure)
def process_import(*, id: int) -> bool:
    """Process some rows of an import; return whether there are more."""
    work = ReviewImport.objects.open().uploaded().select_related("user").filter(pk=id).first()
    if work is None:
        return False
    if not work.user.is_active or work.user.is_suspended:
        work.fail("account_closed")
        return False
    run = ImportRunner(work, work.data)
    until = time.monotonic() + MAX_SECONDS_PER_RUN
    try:
        return not run.run(stopped=lambda: time.monotonic() > until)
    except SupersededError:
        # Another process has gone further; the next run continues from there.
        return True
