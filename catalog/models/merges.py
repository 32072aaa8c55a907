"""Tables of merges and of the rows that each merge has moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.db.fields import BinaryCollationCharField
from core.db.locking import batched

REASON_LENGTH = 1000
BATCH_SIZE = 500


class MergeStatus(models.TextChoices):
    """The status of a merge."""

    MERGING = "merging", _("being merged")
    MERGED = "merged", _("merged")
    UNDOING = "undoing", _("being undone")
    UNDONE = "undone", _("undone")


IN_PROGRESS = (MergeStatus.MERGING, MergeStatus.UNDOING)


class MergeQuerySet(models.QuerySet["Merge"]):
    """Queries for merges."""

    def involving(self, *books: int) -> MergeQuerySet:
        """Return the merges that involve any of these books."""
        return self.filter(Q(target__in=books) | Q(source__in=books))

    def not_undone(self) -> MergeQuerySet:
        """Return the merges that are not undone."""
        return self.exclude(status=MergeStatus.UNDONE)

    def in_progress(self) -> MergeQuerySet:
        """Return the merges whose rows are being moved, in either direction."""
        return self.filter(status__in=IN_PROGRESS)


class Merge(models.Model):
    """A merge of the book `source` into the book `target`."""

    target = models.ForeignKey("catalog.Book", models.CASCADE, related_name="merges", verbose_name=_("target"))
    source = models.ForeignKey("catalog.Book", models.CASCADE, related_name="+", verbose_name=_("source"))
    status = BinaryCollationCharField(
        max_length=10, choices=MergeStatus.choices, default=MergeStatus.MERGING, verbose_name=_("status")
    )
    created_at = models.DateTimeField(default=timezone.now, verbose_name=_("created at"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("created by")
    )
    reason = models.CharField(max_length=REASON_LENGTH, verbose_name=_("reason"))
    undone_at = models.DateTimeField(null=True, verbose_name=_("undone at"))
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("undone by")
    )
    undone_reason = models.CharField(max_length=REASON_LENGTH, blank=True, verbose_name=_("reason for undoing"))
    filled_revision = models.ForeignKey(
        "catalog.Revision",
        models.SET_NULL,
        null=True,
        related_name="+",
        help_text=_("Fields copied from the merged book."),
        verbose_name=_("revision of the copied fields"),
    )

    objects = MergeQuerySet.as_manager()

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        default_permissions = ("view",)
        permissions = [("merge_books", _("Can merge books and undo merges"))]
        indexes = [models.Index(fields=["status", "id"], name="catalog_merge_by_status")]

    def __str__(self) -> str:
        return f"#{self.source_id} → #{self.target_id}"

    @property
    def book_ids(self) -> list[int]:
        """Both ids in lock order."""
        return sorted((self.target_id, self.source_id))

    def record_moved(self, kind: str, rows: Iterable[int]) -> None:
        """Record rows that were moved to the target."""
        MovedRow.objects.bulk_create((MovedRow(merge=self, kind=kind, row=row) for row in rows), batch_size=BATCH_SIZE)

    def moved_ids(self, kind: str, limit: int) -> list[int]:
        """Return up to `limit` recorded rows of a kind."""
        found = self.moved.filter(kind=kind).order_by("row").values_list("row", flat=True)
        return list(found[:limit])

    def clear_moved(self, kind: str, rows: Sequence[int]) -> None:
        """Remove rows from the record."""
        self.moved.filter(kind=kind, row__in=rows).delete()

    def restore_moved(self, kind: str, rows: models.QuerySet[Any], **columns: Any) -> None:
        """Set columns of those of `rows` that the merge has moved, and remove them from the record."""
        recorded = self.moved.filter(kind=kind)
        for pks in batched(list(rows.filter(pk__in=recorded.values("row")).values_list("pk", flat=True)), BATCH_SIZE):
            rows.model._base_manager.filter(pk__in=pks).update(**columns)
            self.clear_moved(kind, pks)


class MovedRow(models.Model):
    """A row that a merge has moved. Deleted when the row is moved back."""

    merge = models.ForeignKey(Merge, models.CASCADE, related_name="moved", db_index=False)
    kind = BinaryCollationCharField(max_length=20)
    row = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["merge", "kind", "row"], name="catalog_moved_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.row}"
