"""Moving the rows of merged books."""

from catalog.merges.moving import MAX_SECONDS_PER_RUN, run
from catalog.models import Merge
from core.tasks.decorators import task


@task(atomic=False)
def continue_merge(*, merge: int) -> bool:
    """Move rows of a merge, or of its undoing, for some seconds; return whether there are more."""
    found = Merge.objects.in_progress().filter(pk=merge).first()
    return found is not None and not run(found, seconds=MAX_SECONDS_PER_RUN)
