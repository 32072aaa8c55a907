"""Import of one file, from its beginning or from a checkpoint."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from django.db import IntegrityError, reset_queries
from django.utils import timezone

from bookbridge.api.transactions import ATTEMPTS, retrying_atomic
from catalog.importing.files import LONGEST_LINE, BrokenFileError, LineFile
from catalog.importing.formats import Reader
from catalog.importing.models import ImportCheckpoint
from catalog.importing.progress import Progress
from catalog.importing.records import AuthorRecord, BadRowError, Skip
from catalog.importing.rejects import SHOWN, Rejects
from catalog.importing.writer import Row, write

# A batch also ends at this size, so that very long lines do not exhaust the memory.
BATCH_BYTES = 8_000_000


class Import:
    """The import of one file, a batch of rows and the checkpoint per transaction.

    `counts` covers the whole file, including earlier runs: `read` = `created` + `known` + `rejected` + `ignored`.
    """

    def __init__(self, file: LineFile, reader: Reader, *, rejects: Path, batch: int, restart: bool = False) -> None:
        """Resume from the checkpoint of the file, unless `restart` is set."""
        self.file = file
        self.reader = reader
        self.batch = batch
        key = file.identity()
        if restart:
            ImportCheckpoint.objects.filter(file=key).delete()
        name = file.path.name.encode("utf-8", "replace").decode()[:255]
        self.point, _created = ImportCheckpoint.objects.get_or_create(
            file=key, defaults={"name": name, "next_line": reader.first_line}
        )
        self.counts: Counter[str] = Counter(self.point.counts)
        self.resumed = bool(self.counts)
        same = self.point.rejects_path == str(rejects)
        self.rejects = Rejects(rejects, size=self.point.rejects_size if same else 0)
        self._rows: list[Row] = []
        self._bytes = 0

    def run(self, *, progress: Progress, stopped: Callable[[], bool] = lambda: False) -> bool:
        """Read to the end of the file, or until `stopped` returns True. Returns whether the end was reached.

        Rows that were read are committed in any case. Raises UnreadableFileError if the file is damaged, and OSError if
        the rejects cannot be written.
        """
        broken: BrokenFileError | None = None
        try:
            for stage, label in enumerate(self.reader.stages):
                if stage < self.point.stage or (stage and not self.resumed and not self.reader.has(stage)):
                    continue
                if stage > self.point.stage:
                    self.point.stage, self.point.next_line = stage, self.reader.first_line
                progress.begin(label)
                try:
                    if not self._read(progress, stopped):
                        return False
                except BrokenFileError as error:
                    # The other passes still import the rows before the damage.
                    broken = error
        finally:
            progress.end()
        if broken:
            raise broken
        ImportCheckpoint.objects.filter(pk=self.point.pk).delete()
        return True

    def _read(self, progress: Progress, stopped: Callable[[], bool]) -> bool:
        number = self.point.next_line - 1
        broken: BrokenFileError | None = None
        try:
            for number, line in self.file.lines(start=self.point.next_line):
                self._take(number, line)
                progress.row(self.file.position())
                if len(self._rows) >= self.batch or self._bytes >= BATCH_BYTES:
                    self._settle(number + 1)
                if stopped():
                    break
        except BrokenFileError as error:
            broken = error
        # The rows before the damage or the interrupt are valid.
        self._settle(number + 1)
        if broken:
            raise broken
        return not stopped()

    def _take(self, number: int, line: bytes | None) -> None:
        """Parse a line and add the row to the batch."""
        if line == b"" or (line is None and self.point.stage):
            # The first stage has rejected the lines that are too long.
            return
        row = Row(number, (line or b"")[:SHOWN])
        try:
            if line is None:
                raise BadRowError(f"the line is longer than {LONGEST_LINE:,} bytes")
            found = self.reader.parse(line, self.point.stage)
            if found is Skip.OTHER_STAGE:
                return
            if isinstance(found, Skip):
                row.outcome = "ignored"
            else:
                row.record = found
        except BadRowError as error:
            row.reject(str(error))
        self._rows.append(row)
        self._bytes += len(line or b"")

    def _settle(self, next_line: int) -> None:
        """Commit the batch; try again if a concurrent transaction has written the same ISBN or origin."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._commit(next_line)
                break
            except IntegrityError:
                if attempt == ATTEMPTS:
                    raise
        self.point.next_line = next_line
        self._rows, self._bytes = [], 0
        # With DEBUG, Django stores every query in memory.
        reset_queries()

    @retrying_atomic
    def _commit(self, next_line: int) -> None:
        counts = self.counts.copy()
        write(self._rows, counts)
        for row in self._rows:
            counts.update(["read", row.outcome])
            if row.outcome != "rejected" and not isinstance(row.record, AuthorRecord | None):
                counts.update(row.record.left_out)
        size = self.rejects.put(row for row in self._rows if row.outcome == "rejected")
        ImportCheckpoint.objects.filter(pk=self.point.pk).update(
            stage=self.point.stage,
            next_line=next_line,
            counts=counts,
            rejects_path=str(self.rejects.path),
            rejects_size=size,
            updated_at=timezone.now(),
        )
        self.counts, self.rejects.size = counts, size
