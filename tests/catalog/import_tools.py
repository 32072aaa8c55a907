"""Helpers for tests of the import: files, and the command in this process or in a subprocess."""

import csv
import gzip
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management import call_command

from tests.server import pausing_manage

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "catalog" / "data" / "demo_books.csv"

GOODBOOKS = DEMO.read_text(encoding="utf-8").splitlines()[0].split(",")
ROW = {
    "work_id": "4640799",
    "isbn": "439554934",
    "isbn13": "9.78043955493e+12",
    "authors": "J.K. Rowling, Mary GrandPré",
    "original_publication_year": "1997.0",
    "original_title": "Harry Potter and the Philosopher's Stone",
    "title": "Harry Potter and the Sorcerer's Stone (Harry Potter, #1)",
    "language_code": "eng",
    "image_url": "https://images.gr-assets.com/books/1474154022m/3.jpg",
}


def goodbooks_row(**cells: str) -> str:
    """Return a line of goodbooks-10k with its line end."""
    text = io.StringIO()
    row = ROW | cells
    csv.writer(text, lineterminator="\n").writerow(row.get(name, "") for name in GOODBOOKS)
    return text.getvalue()


def goodbooks_file(path: Path, rows: Iterable[str | bytes | Mapping[str, str]]) -> Path:
    """Write a file of goodbooks-10k. Each row is a line, or the cells in which it differs from ROW."""
    with path.open("wb") as file:
        file.write((",".join(GOODBOOKS) + "\n").encode())
        for row in rows:
            line = goodbooks_row(**row) if isinstance(row, Mapping) else row
            file.write(line.encode() if isinstance(line, str) else line)
    return path


def isbn10(core: int) -> str:
    """Return the ISBN-10 of a number of up to nine digits as goodbooks writes it, without leading zeros."""
    digits = f"{core:09d}"
    check = sum(int(digit) * weight for weight, digit in enumerate(digits, 1)) % 11
    return (digits + "0123456789X"[check]).lstrip("0")


def many_rows(count: int, *, every: int = 0) -> Iterable[dict[str, str] | str]:
    """Return distinct valid rows; with `every`, each n-th one is broken."""
    for n in range(1, count + 1):
        if every and n % every == 0:
            yield "broken\n"
        else:
            yield {"work_id": str(n), "isbn": isbn10(n * 7), "title": f"Book number {n}", "authors": f"Author {n % 97}"}


def dump_line(kind: str, key: str, **record: Any) -> str:
    """Return a line of an Open Library dump with its line end."""
    record = {"key": key, "type": {"key": f"/type/{kind}"}, "revision": 1} | record
    return f"/type/{kind}\t{key}\t1\t2010-04-24T17:54:01.503315\t{json.dumps(record)}\n"


def dump_file(path: Path, lines: Iterable[str | bytes]) -> Path:
    """Write a gzipped dump."""
    with gzip.open(path, "wb") as file:
        file.writelines(line.encode() if isinstance(line, str) else line for line in lines)
    return path


@dataclass
class Outcome:
    """The output of the command and the numbers in it."""

    text: str

    def __getitem__(self, word: str) -> int:
        """Return the number on the line that starts with `word`, 0 if there is none."""
        lines = [line for line in self.text.splitlines() if line.strip().startswith(word)]
        return int(lines[0].rsplit(maxsplit=1)[1].replace(",", "")) if lines else 0

    def total_rows(self) -> int:
        return self["created"] + self["known"] + self["rejected"] + self["ignored"]


def run_import(path: Path, **options: Any) -> Outcome:
    out = io.StringIO()
    options.setdefault("rejects", path.with_suffix(".rejects"))
    call_command("import_books", path, stdout=out, **options)
    return Outcome(out.getvalue())


def rejects_of(path: Path) -> list[tuple[int, str]]:
    """Return line number and reason of each rejected row."""
    with path.with_suffix(".rejects").open(encoding="utf-8", newline="") as file:
        return [(int(row["line"]), row["reason"]) for row in csv.DictReader(file)]


@dataclass
class ManageProcess:
    """Runner of manage.py in a subprocess, on a database that outlives it.

    `query` returns the first column of a query.
    """

    env: dict[str, str]
    query: Callable[[str], list[Any]]

    def start(self, *arguments: object, pause_at: int | None = None) -> subprocess.Popen[str]:
        """Start manage.py; an import waits at row `pause_at` of each pass."""
        program = pausing_manage(pause_at) if pause_at else [sys.executable, "manage.py"]
        command, env = [*program, *map(str, arguments)], os.environ | self.env
        return subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *arguments: object, status: int = 0) -> tuple[Outcome, str]:
        """Run manage.py to its end and return its output and its standard error."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        assert process.returncode == status, (process.returncode, out, err)
        return Outcome(out), err

    def wait_for_line(self, line: int) -> None:
        """Wait until an import has committed up to this line."""
        deadline = time.monotonic() + 60
        while not any(next_line > line for next_line in self.query("SELECT next_line FROM catalog_importcheckpoint")):
            assert time.monotonic() < deadline, "the import has not come so far in a minute"
            time.sleep(0.01)
