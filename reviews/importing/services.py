"""Starts and processes imports."""

import datetime
import time
import zlib
from hashlib import sha256

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated

from accounts.models import User
from bookbridge.api.errors import Conflict, InvalidField
from bookbridge.api.jobs import enqueue, job
from bookbridge.api.rows import hold
from bookbridge.api.transactions import retrying_atomic
from reviews.importing.files import BadFileError, ExportFile
from reviews.importing.models import Import, SupersededError
from reviews.importing.rows import REASONS
from reviews.importing.run import Run

# Unfinished imports per user.
MOST_OPEN = 3
REPORTS_KEPT = datetime.timedelta(days=90)
# Seconds a worker spends on an import before it takes the next task.
PART_SECONDS = 2.0
JOB = "reviews.import"


def begin(*, by: User, source: str, visibility: str, data: bytes) -> Import:
    """Enqueue the import of an export.

    Raises InvalidField `not_csv`, `wrong_columns` or `too_many_rows`, Conflict `too_many_imports`.
    """
    try:
        rows = ExportFile(data, source).count()
    except BadFileError as bad:
        raise InvalidField("file", bad.code, REASONS[bad.code]) from None
    digest, content = sha256(data).hexdigest(), zlib.compress(data)
    work = Import(user=by, source=source, visibility=visibility, rows=rows, digest=digest, content=content)
    return _queue(work)


@retrying_atomic
def _queue(work: Import) -> Import:
    # Lock the user, so that concurrent requests cannot exceed the limit.
    if not hold(User, [work.user_id]):
        raise NotAuthenticated
    imports = Import.objects.filter(user=work.user_id)
    if imports.open().uploaded().count() >= MOST_OPEN:
        raise Conflict("too_many_imports", _("Please wait until your other imports have finished."))
    imports.filter(ended_at__lt=timezone.now() - REPORTS_KEPT).delete()
    work.pk = None
    work.save(force_insert=True)
    enqueue(JOB, id=work.pk)
    return work


@retrying_atomic
def take_up(*, by: User, source: str, visibility: str, data: bytes) -> Import:
    """Return an import for the caller to run: the interrupted one of this file, or a new one.

    Raises InvalidFileError.
    """
    rows, digest = ExportFile(data, source).count(), sha256(data).hexdigest()
    hold(User, [by.pk])
    stopped = Import.objects.open().filter(user=by, source=source, visibility=visibility, digest=digest, content=None)
    return stopped.first() or Import.objects.create(
        user=by, source=source, visibility=visibility, digest=digest, rows=rows
    )


def give_up(*, id: int) -> None:
    """Mark an import as failed after too many attempts."""
    for work in Import.objects.open().defer("content").filter(pk=id):
        work.fail("gave_up")


@job(JOB, atomic=False, gave_up=give_up)
def work_off(*, id: int) -> bool:
    """Process a part of an import; return whether there is more to do."""
    work = Import.objects.open().uploaded().select_related("user").filter(pk=id).first()
    if work is None:
        return False
    if not work.user.is_active or work.user.is_suspended:
        work.fail("account_closed")
        return False
    run = Run(work, work.data)
    until = time.monotonic() + PART_SECONDS
    try:
        return not run.run(stopped=lambda: time.monotonic() > until)
    except SupersededError:
        # Retry with the current progress.
        return True
