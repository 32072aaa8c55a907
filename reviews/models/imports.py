"""Models of imports: their progress and report, and which reviews were imported."""

from __future__ import annotations

import dataclasses
import zlib
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.db.fields import BinaryCollationCharField
from core.db.transactions import atomic_with_retry

# Further errors are only counted.
MAX_ERRORS = 1000


class ImportStatus(models.TextChoices):
    """Status of an import."""

    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")


class SupersededError(Exception):
    """Another process has continued the import, or it was deleted."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result of the first `rows_processed` rows, each of which was created, updated, skipped or failed.

    `errors` has the line and error code of the first thousand failed rows. `remarks` counts the warnings by code: why
    rows were skipped, and what was changed in imported rows.
    """

    rows_processed: int = 0
    created: int = 0
    updated: int = 0
    skipped: int = 0
    failed: int = 0
    errors: tuple[tuple[int, str], ...] = ()
    remarks: dict[str, int] = field(default_factory=dict)

    def with_row(self, outcome: str, *remarks: str) -> ImportReport:
        """Return the report with one more row, which was `created`, `updated` or `skipped`."""
        counts = self.remarks | {code: self.remarks.get(code, 0) + 1 for code in remarks}
        return dataclasses.replace(
            self, rows_processed=self.rows_processed + 1, remarks=counts, **{outcome: getattr(self, outcome) + 1}
        )

    def with_error(self, line: int, code: str) -> ImportReport:
        """Return the report with one more failed row."""
        errors = (*self.errors, (line, code))[:MAX_ERRORS]
        return dataclasses.replace(self, rows_processed=self.rows_processed + 1, failed=self.failed + 1, errors=errors)


class ImportQuerySet(models.QuerySet["ReviewImport"]):
    """Queries for imports."""

    def visible_to(self, user: Any) -> ImportQuerySet:
        """Return the imports of `user`."""
        return self.filter(user=user.pk)

    def open(self) -> ImportQuerySet:
        """Return the unfinished imports."""
        return self.filter(status__in=(ImportStatus.QUEUED, ImportStatus.RUNNING))

    def uploaded(self) -> ImportQuerySet:
        """Return the imports with a stored file, which a task processes."""
        return self.filter(content__isnull=False)


class ReviewImport(models.Model):
    """An import of an export file. The file is stored until the import has finished."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="imports", verbose_name=_("user"))
    source = BinaryCollationCharField(max_length=20, verbose_name=_("source"))
    visibility = models.CharField(max_length=10, verbose_name=_("visibility"))
    status = models.CharField(
        max_length=10, choices=ImportStatus.choices, default=ImportStatus.QUEUED, verbose_name=_("status")
    )
    failure = models.CharField(max_length=30, blank=True, help_text="Error code, if the import failed.")
    digest = BinaryCollationCharField(max_length=64, help_text="SHA-256 of the file.")
    content = models.BinaryField(null=True, help_text="The compressed file; null if it is not stored.")
    rows = models.PositiveIntegerField()
    rows_processed = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    errors = models.JSONField(default=list, help_text="[[line, code], ...] of the rows that failed.")
    remarks = models.JSONField(default=dict, help_text="{code: number of rows}")
    created_at = models.DateTimeField(default=timezone.now, verbose_name=_("created at"))
    ended_at = models.DateTimeField(null=True, verbose_name=_("ended at"))

    objects = ImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")

    def __str__(self) -> str:
        return f"{self.source}: {self.rows_processed} of {self.rows}"

    @property
    def data(self) -> bytes:
        """The file. Raises ValueError if it is not stored."""
        if self.content is None:
            raise ValueError("the file is not stored")
        return zlib.decompress(self.content)

    @property
    def report(self) -> ImportReport:
        """The result of the rows processed so far."""
        values = {column.name: getattr(self, column.name) for column in dataclasses.fields(ImportReport)}
        return ImportReport(**values | {"errors": tuple(tuple(error) for error in self.errors)})

    def save_progress(self, report: ImportReport, *, since: ImportReport, end: bool = False) -> None:
        """Save the progress, and finish the import if `end`. This instance is not updated.

        Raises SupersededError if the stored progress is no longer `since`, so that no row is counted twice.
        """
        before, values = _columns(since), _columns(report)
        changed = {name: value for name, value in values.items() if value != before[name]}
        ended = {"status": ImportStatus.DONE, "ended_at": timezone.now(), "content": None} if end else {}
        current = ReviewImport.objects.open().filter(pk=self.pk, rows_processed=since.rows_processed)
        if not current.update(**{"status": ImportStatus.RUNNING} | changed | ended):
            raise SupersededError

    @atomic_with_retry
    def fail(self, code: str) -> None:
        """Mark the import as failed, with a key of `REASON_MESSAGES`. Reviews imported so far are kept."""
        values = {"status": ImportStatus.FAILED, "failure": code, "ended_at": timezone.now(), "content": None}
        ReviewImport.objects.open().filter(pk=self.pk).update(**values)


def _columns(report: ImportReport) -> dict[str, Any]:
    values = {column.name: getattr(report, column.name) for column in dataclasses.fields(ImportReport)}
    return values | {"errors": [list(error) for error in report.errors]}


class ImportedReview(models.Model):
    """The origin of an imported review, and its `edited_at` after the last import.

    Imports never change reviews that were written or edited by the user.
    """

    review = models.OneToOneField("reviews.Review", models.CASCADE, related_name="+")
    origin = BinaryCollationCharField(
        max_length=191,
        help_text="The source and the key of the row, such as goodreads:2767052.",
        verbose_name=_("origin"),
    )
    edited_at = models.DateTimeField(
        null=True, help_text="The review's edited_at when an import last wrote it.", verbose_name=_("edited at")
    )
    last_import = models.PositiveBigIntegerField(help_text="The id of the last import that contained the row.")

    class Meta:
        verbose_name = _("imported review")
        verbose_name_plural = _("imported reviews")

    def __str__(self) -> str:
        return f"{self.origin}: {self.review_id}"

    def mark_as_seen(self, review_import: ReviewImport, **values: Any) -> None:
        """Record that an import contained the row, so that it skips further rows about the same book."""
        ImportedReview.objects.filter(pk=self.pk).update(last_import=review_import.pk, **values)
