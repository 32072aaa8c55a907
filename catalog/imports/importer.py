"""Import of one file, from its beginning or from a checkpoint."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from django.db import IntegrityError, reset_queries
from django.utils import timezone

from catalog.imports.formats import RowParser
from catalog.imports.lines import MAX_LINE_BYTES, LineReader, UnreadableFileError
from catalog.imports.records import AuthorRecord, InvalidRowError, SkipReason
from catalog.imports.rejects import MAX_ROW_BYTES, RejectsFile
from catalog.imports.writer import ImportRow, write_rows
from catalog.models import ImportCheckpoint
from core.db.transactions import MAX_ATTEMPTS, atomic_with_retry
from core.management.progress import ProgressReporter

# A batch also ends at this size, so that very long lines do not exhaust the memory.
BATCH_BYTES = 8_000_000


class CatalogImporter:
    """The import of one file, a batch of rows and the checkpoint per transaction.

    `counts` covers the whole file, including earlier runs: `read` = `created` + `known` + `rejected` + `ignored`.
    """

    def __init__(
        self, file: LineReader, parser: RowParser, *, rejects: Path, batch_size: int, restart: bool = False
    ) -> None:
        """Resume from the checkpoint of the file, unless `restart` is set."""
        self.file = file
        self.parser = parser
        self.batch_size = batch_size
        key = file.fingerprint()
        if restart:
            ImportCheckpoint.objects.filter(file=key).delete()
        name = file.path.name.encode("utf-8", "replace").decode()[:255]
        self.checkpoint, _created = ImportCheckpoint.objects.get_or_create(
            file=key, defaults={"name": name, "next_line": parser.first_line}
        )
        self.counts: Counter[str] = Counter(self.checkpoint.counts)
        self.resumed = bool(self.counts)
        same_path = self.checkpoint.rejects_path == str(rejects)
        self.rejects = RejectsFile(rejects, size=self.checkpoint.rejects_size if same_path else 0)
        self._rows: list[ImportRow] = []
        self._bytes = 0

    def run(self, *, progress: ProgressReporter, should_stop: Callable[[], bool] = lambda: False) -> bool:
        """Read to the end of the file, or until `should_stop` returns True. Returns whether the end was reached.

        Rows that were read are committed in any case. Raises UnreadableFileError if the file is damaged, and OSError if
        the rejects cannot be written.
        """
        damage: UnreadableFileError | None = None
        try:
            for stage, label in enumerate(self.parser.stages):
                if stage < self.checkpoint.stage or (stage and not self.resumed and not self.parser.has_stage(stage)):
                    continue
                if stage > self.checkpoint.stage:
                    self.checkpoint.stage, self.checkpoint.next_line = stage, self.parser.first_line
                progress.start(label)
                try:
                    if not self._read(progress, should_stop):
                        return False
                except UnreadableFileError as error:
                    # The other passes still import the rows before the damage.
                    damage = error
        finally:
            progress.finish()
        if damage:
            raise damage
        ImportCheckpoint.objects.filter(pk=self.checkpoint.pk).delete()
        return True

    def _read(self, progress: ProgressReporter, should_stop: Callable[[], bool]) -> bool:
        number = self.checkpoint.next_line - 1
        damage: UnreadableFileError | None = None
        try:
            for number, line in self.file.lines(start=self.checkpoint.next_line):
                self._add_row(number, line)
                progress.advance(self.file.position())
                if len(self._rows) >= self.batch_size or self._bytes >= BATCH_BYTES:
                    self._commit_with_retry(number + 1)
                if should_stop():
                    break
        except UnreadableFileError as error:
            damage = error
        # The rows before the damage or the interrupt are valid.
        self._commit_with_retry(number + 1)
        if damage:
            raise damage
        return not should_stop()

    def _add_row(self, number: int, line: bytes | None) -> None:
        """Parse a line and add the row to the batch."""
        if line == b"" or (line is None and self.checkpoint.stage):
            # The first stage has rejected the lines that are too long.
            return
        row = ImportRow(number, (line or b"")[:MAX_ROW_BYTES])
        try:
            if line is None:
                raise InvalidRowError(f"the line is longer than {MAX_LINE_BYTES:,} bytes")
            parsed = self.parser.parse(line, self.checkpoint.stage)
            if parsed is SkipReason.OTHER_STAGE:
                return
            if isinstance(parsed, SkipReason):
                row.outcome = "ignored"
            else:
                row.record = parsed
        except InvalidRowError as error:
            row.reject(str(error))
        self._rows.append(row)
        self._bytes += len(line or b"")

    def _commit_with_retry(self, next_line: int) -> None:
        """Commit the batch; try again if a concurrent transaction has written the same ISBN or origin."""
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                self._commit(next_line)
                break
            except IntegrityError:
                if attempt == MAX_ATTEMPTS:
                    raise
        self.checkpoint.next_line = next_line
        self._rows, self._bytes = [], 0
        # With DEBUG, Django stores every query in memory.
        reset_queries()

    @atomic_with_retry
    def _commit(self, next_line: int) -> None:
        counts = self.counts.copy()
        write_rows(self._rows, counts)
        for row in self._rows:
            counts.update(["read", row.outcome])
            if row.outcome != "rejected" and not isinstance(row.record, AuthorRecord | None):
                counts.update(row.record.ignored_fields)
        size = self.rejects.write(row for row in self._rows if row.outcome == "rejected")
        ImportCheckpoint.objects.filter(pk=self.checkpoint.pk).update(
            stage=self.checkpoint.stage,
            next_line=next_line,
            counts=counts,
            rejects_path=str(self.rejects.path),
            rejects_size=size,
            updated_at=timezone.now(),
        )
        self.counts, self.rejects.size = counts, size
