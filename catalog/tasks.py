"""Background tasks of the catalog."""

from catalog.merges.runner import MAX_SECONDS_PER_RUN, run_merge
from catalog.models import Merge
from core.tasks.decorators import task


@task(atomic=False, bulk=True)
def continue_merge(*, merge_id: int) -> bool:
    """Continue a merge or its undoing for `MAX_SECONDS_PER_RUN`; return whether rows are left."""
    merge = Merge.objects.in_progress().filter(pk=merge_id).first()
    return merge is not None and not run_merge(merge, seconds=MAX_SECONDS_PER_RUN)
