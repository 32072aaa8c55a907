"""Merge handler for readings."""

from catalog.merges.runner import lock_books
from catalog.models import Merge, MergeStatus
from core.db.transactions import atomic_with_retry
from readings.models import Reading

KIND = "reading"
# Rows per transaction.
BATCH_SIZE = 200


class ReadingMergeHandler:
    """Moves the readings of a merged book."""

    @atomic_with_retry
    def move(self, merge: Merge) -> bool:
        """Move the next batch to the target book. Return False when there are none left."""
        readings = Reading.objects.filter(book=merge.source_id).order_by("pk")
        pks = list(readings.values_list("pk", flat=True)[:BATCH_SIZE])
        if not pks or not lock_books(merge, MergeStatus.MERGING):
            return False
        Reading.objects.filter(pk__in=pks).update(book=merge.target_id)
        merge.record_moved(KIND, pks)
        return True

    @atomic_with_retry
    def undo_move(self, merge: Merge) -> bool:
        """Move the next batch back. Return False when there are none left."""
        pks = merge.moved_ids(KIND, BATCH_SIZE)
        if not pks or not lock_books(merge, MergeStatus.UNDOING):
            return False
        Reading.objects.filter(pk__in=pks, book=merge.target_id).update(book=merge.source_id)
        merge.clear_moved(KIND, pks)
        return True

    def remaining(self, merge: Merge) -> int:
        """Return the number of readings left to move, or to move back."""
        if merge.status == MergeStatus.MERGING:
            return Reading.objects.filter(book=merge.source_id).count()
        return merge.moved.filter(kind=KIND).count()
