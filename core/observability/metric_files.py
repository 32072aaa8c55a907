"""Files of prometheus_client that never end a process.

Each server process keeps its metrics in mapped files. A write to a page that a full disk cannot store would kill the
process (SIGBUS), so the space is allocated in advance, and without space the metrics of the process stay in memory.
"""

import os
from contextlib import suppress
from io import FileIO

from prometheus_client import mmap_dict


class AllocatedFile(FileIO):
    """A file whose space is allocated when it grows; without space it continues in memory, invisible to others."""

    def truncate(self, size: int | None = None, /) -> int:
        """Grow the file to `size` bytes."""
        size = size or 0
        try:
            os.posix_fallocate(self.fileno(), 0, size)
        except OSError:
            self._continue_in_memory(size)
        return size

    def _continue_in_memory(self, size: int) -> None:
        memory = _open_in_memory(size)
        os.pwrite(memory, os.pread(self.fileno(), size, 0), 0)
        os.dup2(memory, self.fileno(), inheritable=False)
        os.close(memory)
        # An incomplete file would fail the collection of all others.
        with suppress(OSError, TypeError):
            os.unlink(self.name)


def _open_in_memory(size: int = 0) -> int:
    descriptor = os.memfd_create("metrics")
    os.ftruncate(descriptor, size)
    return descriptor


def _open(filename: str, mode: str) -> FileIO:
    try:
        return AllocatedFile(filename, mode)
    except OSError:
        if "r" in mode:
            raise
        return AllocatedFile(_open_in_memory(), mode)


def install() -> None:
    """Make prometheus_client use these files, where the system has them (Linux)."""
    if hasattr(os, "posix_fallocate") and hasattr(os, "memfd_create"):
        mmap_dict.open = _open  # type: ignore[attr-defined]
