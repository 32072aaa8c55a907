"""Start or resume an import."""

import datetime
import zlib
from hashlib import sha256

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated

from accounts.models import User
from core.api.exceptions import Conflict, InvalidFieldError
from core.db.locking import lock_rows
from core.db.transactions import atomic_with_retry
from reviews.imports.errors import InvalidFileError
from reviews.imports.files import ExportFile
from reviews.models import ReviewImport
from reviews.tasks import process_import

# Unfinished imports per user.
MAX_OPEN_IMPORTS = 3
RETENTION = datetime.timedelta(days=90)


def start_import(*, by: User, source: str, visibility: str, data: bytes) -> ReviewImport:
    """Enqueue the import of an export.

    Raises InvalidFieldError with a code of `FILE_MESSAGES`, and Conflict `too_many_imports`.
    """
    try:
        rows = ExportFile(data, source).count()
    except InvalidFileError as error:
        raise InvalidFieldError("file", error.code, error.message) from None
    digest, content = sha256(data).hexdigest(), zlib.compress(data)
    review_import = ReviewImport(
        user=by, source=source, visibility=visibility, rows=rows, digest=digest, content=content
    )
    return _queue(review_import)


@atomic_with_retry
def _queue(review_import: ReviewImport) -> ReviewImport:
    # Lock the user, so that concurrent requests cannot exceed the limit.
    if not lock_rows(User, [review_import.user_id]):
        raise NotAuthenticated
    imports = ReviewImport.objects.filter(user=review_import.user_id)
    unfinished = list(imports.open().uploaded().order_by("pk").values_list("pk", flat=True))
    if len(unfinished) >= MAX_OPEN_IMPORTS:
        raise Conflict("too_many_imports", _("Please wait until your other imports have finished."), imports=unfinished)
    imports.filter(ended_at__lt=timezone.now() - RETENTION).delete()
    review_import.pk = None
    review_import.save(force_insert=True)
    process_import.enqueue(id=review_import.pk)
    return review_import


@atomic_with_retry
def resume_or_start(*, by: User, source: str, visibility: str, data: bytes) -> ReviewImport:
    """Return an import for the caller to run: the interrupted one of this file, or a new one.

    Raises InvalidFileError.
    """
    rows, digest = ExportFile(data, source).count(), sha256(data).hexdigest()
    lock_rows(User, [by.pk])
    interrupted = ReviewImport.objects.open().filter(
        user=by, source=source, visibility=visibility, digest=digest, content=None
    )
    return interrupted.first() or ReviewImport.objects.create(
        user=by, source=source, visibility=visibility, digest=digest, rows=rows
    )
