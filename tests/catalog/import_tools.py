"""Files to import, and the command as somebody runs it, in a process of its own."""

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
    """One line of the form of goodbooks-10k, with its end."""
    text = io.StringIO()
    row = ROW | cells
    csv.writer(text, lineterminator="\n").writerow(row.get(name, "") for name in GOODBOOKS)
    return text.getvalue()


def goodbooks_file(path: Path, rows: Iterable[str | bytes | Mapping[str, str]]) -> Path:
    """A file of that form: each row as cells that differ from ROW's, or as the line itself."""
    with path.open("wb") as file:
        file.write((",".join(GOODBOOKS) + "\n").encode())
        for row in rows:
            line = goodbooks_row(**row) if isinstance(row, Mapping) else row
            file.write(line.encode() if isinstance(line, str) else line)
    return path


def isbn10(core: int) -> str:
    """The ISBN-10 of a number of up to nine digits, as goodbooks writes it: without leading zeros."""
    digits = f"{core:09d}"
    check = sum(int(digit) * weight for weight, digit in enumerate(digits, 1)) % 11
    return (digits + "0123456789X"[check]).lstrip("0")


def many_rows(count: int, *, every: int = 0) -> Iterable[dict[str, str] | str]:
    """Good rows, all different; with `every`, each row of that number is one that cannot be read."""
    for n in range(1, count + 1):
        if every and n % every == 0:
            yield "broken\n"
        else:
            yield {"work_id": str(n), "isbn": isbn10(n * 7), "title": f"Book number {n}", "authors": f"Author {n % 97}"}


def dump_line(kind: str, key: str, **record: Any) -> str:
    """One line of a dump of Open Library, with its end."""
    record = {"key": key, "type": {"key": f"/type/{kind}"}, "revision": 1} | record
    return f"/type/{kind}\t{key}\t1\t2010-04-24T17:54:01.503315\t{json.dumps(record)}\n"


def dump_file(path: Path, lines: Iterable[str | bytes]) -> Path:
    """A dump, compressed as they are."""
    with gzip.open(path, "wb") as file:
        file.writelines(line.encode() if isinstance(line, str) else line for line in lines)
    return path


@dataclass
class Outcome:
    """What the command printed, and the figures in it."""

    text: str

    def __getitem__(self, word: str) -> int:
        """The number behind `created`, `known`, ... or the line that begins so; 0 where the command had none to say."""
        lines = [line for line in self.text.splitlines() if line.strip().startswith(word)]
        return int(lines[0].rsplit(maxsplit=1)[1].replace(",", "")) if lines else 0

    def sums_up(self) -> int:
        """How many rows are accounted for."""
        return self["created"] + self["known"] + self["rejected"] + self["ignored"]


def run_import(path: Path, **options: Any) -> Outcome:
    """The command in this process."""
    out = io.StringIO()
    options.setdefault("rejects", path.with_suffix(".rejects"))
    call_command("import_books", path, stdout=out, **options)
    return Outcome(out.getvalue())


def rejects_of(path: Path) -> list[tuple[int, str]]:
    """Line number and reason of each rejected row."""
    with path.with_suffix(".rejects").open(encoding="utf-8", newline="") as file:
        return [(int(row["line"]), row["reason"]) for row in csv.DictReader(file)]


@dataclass
class Outside:
    """The command in a process of its own, on a database that outlives it. `ask` gives the first column's values."""

    env: dict[str, str]
    ask: Callable[[str], list[Any]]

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        """Start manage.py."""
        command = [sys.executable, str(ROOT / "manage.py"), *map(str, arguments)]
        return subprocess.Popen(
            command, env=os.environ | self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, *arguments: object, status: int = 0) -> tuple[Outcome, str]:
        """Run manage.py to its end: what it printed, and its standard error."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        assert process.returncode == status, (process.returncode, out, err)
        return Outcome(out), err

    def wait_for_line(self, line: int) -> None:
        """Wait until an import has committed up to this line."""
        deadline = time.monotonic() + 60
        while not any(next_line > line for next_line in self.ask("SELECT next_line FROM catalog_importcheckpoint")):
            assert time.monotonic() < deadline, "the import has not come so far in a minute"
            time.sleep(0.01)
