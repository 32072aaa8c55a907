"""The tables of imports: how far each is and what came of its rows, and which reviews came by one."""

from __future__ import annotations

import dataclasses
import zlib
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bookbridge.api.fields import KeyField
from bookbridge.api.transactions import retrying_atomic

# Of so many rows it is told what was wrong; the others are counted.
MOST_ERRORS = 1000


class Status(models.TextChoices):
    """How far an import is."""

    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")


class SupersededError(Exception):
    """Somebody else has gone on with the import, or it is gone."""


@dataclass(frozen=True, slots=True)
class Report:
    """What has come of the first `done` rows, each of which was created, updated, skipped or failed.

    `errors` has the line and the reason's code of the first thousand that failed; `remarks` counts the reasons of what
    was skipped, and what was made of rows that were taken.
    """

    done: int = 0
    created: int = 0
    updated: int = 0
    skipped: int = 0
    failed: int = 0
    errors: tuple[tuple[int, str], ...] = ()
    remarks: dict[str, int] = field(default_factory=dict)

    def and_row(self, outcome: str, *remarks: str) -> Report:
        """With one more row, which was `created`, `updated` or `skipped`."""
        counted = self.remarks | {code: self.remarks.get(code, 0) + 1 for code in remarks}
        return dataclasses.replace(self, done=self.done + 1, remarks=counted, **{outcome: getattr(self, outcome) + 1})

    def and_error(self, line: int, code: str) -> Report:
        """With one more row, which failed."""
        errors = (*self.errors, (line, code))[:MOST_ERRORS]
        return dataclasses.replace(self, done=self.done + 1, failed=self.failed + 1, errors=errors)


class ImportQuerySet(models.QuerySet["Import"]):
    """Rules about many imports."""

    def visible_to(self, user: Any) -> ImportQuerySet:
        """A reader's own."""
        return self.filter(user=user.pk)

    def open(self) -> ImportQuerySet:
        """Those that are not at their end."""
        return self.filter(status__in=(Status.QUEUED, Status.RUNNING))

    def uploaded(self) -> ImportQuerySet:
        """Those whose file is kept here, to be worked off by a job."""
        return self.filter(content__isnull=False)


class Import(models.Model):
    """One export that a reader has brought along. The file is kept until the import is at its end, and no longer."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="imports")
    source = KeyField(max_length=20)
    visibility = models.CharField(max_length=10)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    failure = models.CharField(max_length=30, blank=True, help_text="The code of why it failed.")
    digest = KeyField(max_length=64, help_text="SHA-256 of the file.")
    content = models.BinaryField(null=True, help_text="The file, compressed; null where it is not kept here.")
    rows = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    errors = models.JSONField(default=list, help_text="[[line, code], ...] of the rows that failed.")
    remarks = models.JSONField(default=dict, help_text="{code: number of rows}")
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    objects = ImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")

    def __str__(self) -> str:
        return f"{self.source}: {self.done} of {self.rows}"

    @property
    def data(self) -> bytes:
        """The file. Raises ValueError where it is not kept here."""
        if self.content is None:
            raise ValueError("the file is not kept here")
        return zlib.decompress(self.content)

    @property
    def report(self) -> Report:
        """What has come of the rows so far."""
        values = {column.name: getattr(self, column.name) for column in dataclasses.fields(Report)}
        return Report(**values | {"errors": tuple(tuple(error) for error in self.errors)})

    def advance(self, report: Report, *, since: Report, end: bool = False) -> None:
        """Note what has come of more rows, and whether they were the last. The row in memory stays as it is.

        Raises SupersededError where the import does not stand at `since` any more, so that no row counts twice.
        """
        before, values = _columns(since), _columns(report)
        changed = {name: value for name, value in values.items() if value != before[name]}
        ended = {"status": Status.DONE, "ended_at": timezone.now(), "content": None} if end else {}
        here = Import.objects.open().filter(pk=self.pk, done=since.done)
        if not here.update(**{"status": Status.RUNNING} | changed | ended):
            raise SupersededError

    @retrying_atomic
    def fail(self, code: str) -> None:
        """Give the import up, for a reason of `reviews.importing.rows.REASONS`; what is in stays."""
        values = {"status": Status.FAILED, "failure": code, "ended_at": timezone.now(), "content": None}
        Import.objects.open().filter(pk=self.pk).update(**values)


def _columns(report: Report) -> dict[str, Any]:
    values = {column.name: getattr(report, column.name) for column in dataclasses.fields(Report)}
    return values | {"errors": [list(error) for error in report.errors]}


class ImportedReview(models.Model):
    """That a review came by an import: from which row, and as it was left then.

    What somebody has edited since, or written here, no import changes.
    """

    review = models.OneToOneField("reviews.Review", models.CASCADE, related_name="+")
    origin = KeyField(max_length=191, help_text="The source and the row's own key, such as goodreads:2767052.")
    edited_at = models.DateTimeField(null=True, help_text="The review's edited_at when an import last wrote it.")
    last_import = models.PositiveBigIntegerField(help_text="The id of the import that last had the row.")

    class Meta:
        verbose_name = _("imported review")
        verbose_name_plural = _("imported reviews")

    def __str__(self) -> str:
        return f"{self.origin}: {self.review_id}"

    def seen_again(self, *, by: Import, **values: Any) -> None:
        """Note that an import has had the row: another row of the same book in its file is not taken."""
        ImportedReview.objects.filter(pk=self.pk).update(last_import=by.pk, **values)
