"""Starting an import."""

import datetime
import zlib
from hashlib import sha256

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated

from accounts.models import User
from bookbridge.api.errors import Conflict, InvalidField
from bookbridge.api.rows import hold
from bookbridge.api.transactions import retrying_atomic
from reviews.importing.files import BadFileError, ExportFile
from reviews.importing.models import Import
from reviews.importing.rows import REASONS
from reviews.tasks import process_import

# How many imports of one reader may be under way.
MOST_OPEN = 3
REPORTS_KEPT = datetime.timedelta(days=90)


def begin(*, by: User, source: str, visibility: str, data: bytes) -> Import:
    """Have an export imported soon.

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
    # One at a time for each reader, so that the limit holds.
    if not hold(User, [work.user_id]):
        raise NotAuthenticated
    theirs = Import.objects.filter(user=work.user_id)
    if theirs.open().uploaded().count() >= MOST_OPEN:
        raise Conflict("too_many_imports", _("Please wait for your other imports to end."))
    theirs.filter(ended_at__lt=timezone.now() - REPORTS_KEPT).delete()
    work.pk = None
    work.save(force_insert=True)
    process_import.enqueue(id=work.pk)
    return work


@retrying_atomic
def take_up(*, by: User, source: str, visibility: str, data: bytes) -> Import:
    """An import that the caller will run: the one of this file that was stopped, or a new one. Raises BadFileError."""
    rows, digest = ExportFile(data, source).count(), sha256(data).hexdigest()
    hold(User, [by.pk])
    stopped = Import.objects.open().filter(user=by, source=source, visibility=visibility, digest=digest, content=None)
    return stopped.first() or Import.objects.create(
        user=by, source=source, visibility=visibility, digest=digest, rows=rows
    )
