#!/usr/bin/env python
"""Benchmark of book imports: time and peak memory.

    .venv/bin/python benchmarks/import_books.py path/to/goodbooks/books.csv [--works 50000]

Imports the goodbooks-10k file twice, then generated dumps in the Open Library format (authors, works, editions) with a
tenth of `--works` and with all of them. Uses a new SQLite file, or the empty database in DATABASE_URL. Each import runs
in its own process, whose peak memory is measured by the operating system. Run from the checkout.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def dump(works: int) -> Iterator[str]:
    """Yield the lines of authors, works and two editions per work; they are like short real ones."""
    rest = "\t1\t2010-04-24T17:54:01.503315\t"
    for n in range(works // 3):
        yield f"/type/author\t/authors/OL{n}A{rest}{json.dumps({'name': f'Author Number {n}'})}\n"
    for n in range(works):
        for edition in range(2):
            core = f"978{n * 2 + edition:09d}"
            check = -sum(int(c) * (1, 3)[i % 2] for i, c in enumerate(core)) % 10
            record = {
                "works": [{"key": f"/works/OL{n}W"}],
                "isbn_13": [f"{core}{check}"],
                "number_of_pages": n % 900 + 1,
            }
            record |= {"publishers": ["Press"], "languages": [{"key": "/languages/por"}], "publish_date": "May 1999"}
            yield f"/type/edition\t/books/OL{n * 2 + edition}M{rest}{json.dumps(record)}\n"
    for n in range(works):
        record = {
            "title": f"A work of some length, number {n}",
            "authors": [{"author": {"key": f"/authors/OL{n % max(works // 3, 1)}A"}}],
            "subjects": ["Fiction", "Reading", f"Subject {n % 100}"],
            "description": "What it is about. " * 10,
        }
        yield f"/type/work\t/works/OL{n}W{rest}{json.dumps(record)}\n"


def manage(*arguments: object) -> tuple[float, int, str]:
    """Run manage.py; return the seconds, the peak memory in MiB and the output."""
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen([sys.executable, ROOT / "manage.py", *map(str, arguments)], stdout=out)
        _pid, status, usage = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"manage.py {arguments[0]} failed")
        out.seek(0)
        return time.monotonic() - began, usage.ru_maxrss // 1024, out.read()


def show(name: str, path: Path, folder: Path) -> None:
    """Import a file and print its row of the table."""
    seconds, peak, text = manage("import_books", path, "--rejects", folder / "rejects.csv")
    counts = {line.split()[0]: line.split()[1] for line in text.splitlines() if line.startswith("  ")}
    totals = "  ".join(f"{key} {counts[key]}" for key in ("created", "known", "rejected", "ignored"))
    print(f"{name:34} {seconds:6.1f} s  {peak:4} MiB  {totals}", flush=True)


def main() -> None:
    """Run all imports."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("books", type=Path)
    parser.add_argument("--works", type=int, default=50_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/db.sqlite3")
        manage("migrate", "-v0")
        show("goodbooks-10k", options.books, folder)
        show("goodbooks-10k again", options.books, folder)
        for works in (options.works // 10, options.works):
            path = folder / f"dump_{works}.txt.gz"
            with gzip.open(path, "wt", compresslevel=1) as file:
                file.writelines(dump(works))
            show(f"a dump of {works:,} works", path, folder)


if __name__ == "__main__":
    main()
