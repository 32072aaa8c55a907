"""Background task that imports reviews from files."""

import time

from core.tasks.decorators import task
from reviews.imports.runner import ImportRunner
from reviews.models import ReviewImport, SupersededError

# Longer imports continue in another run, so that other tasks are not delayed.
MAX_SECONDS_PER_RUN = 2.0


def fail_import(*, id: int) -> None:
    """Mark an import as failed after the last attempt."""
    for review_import in ReviewImport.objects.open().defer("content").filter(pk=id):
        review_import.fail("gave_up")


@task(atomic=False, bulk=True, on_failure=fail_import)
def process_import(*, id: int) -> bool:
    """Process some rows of an import; return whether there are more."""
    review_import = ReviewImport.objects.open().uploaded().select_related("user").filter(pk=id).first()
    if review_import is None:
        return False
    if not review_import.user.is_active or review_import.user.is_suspended:
        review_import.fail("account_closed")
        return False
    runner = ImportRunner(review_import, review_import.data)
    deadline = time.monotonic() + MAX_SECONDS_PER_RUN
    try:
        return not runner.run(should_stop=lambda: time.monotonic() > deadline)
    except SupersededError:
        # Another process has continued the import; the next run starts where that one stopped.
        return True
