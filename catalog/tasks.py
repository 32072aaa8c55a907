"""Moving the rows of merged books."""

from bookbridge.api.tasks.decorators import task
from catalog.merging.models import Merge
from catalog.merging.moving import JOB_SECONDS, run


@task(atomic=False)
def continue_merge(*, merge: int) -> bool:
    """Move rows of a merge, or of its undoing, for some seconds; return whether there are more."""
    found = Merge.objects.underway().filter(pk=merge).first()
    return found is not None and not run(found, seconds=JOB_SECONDS)
