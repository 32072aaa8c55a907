"""Tables that leave as CSV, row by row, however many there are."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.http import StreamingHttpResponse

BATCH = 2_000
# A spreadsheet takes a cell that begins with one of these for a formula (OWASP, CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    def write(self, line: str) -> str:
        return line


def csv_answer(name: str, heads: Sequence[Any], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """A file of these rows, made while it is sent."""
    writer: Any = csv.writer(_Echo())
    lines = (writer.writerow([safe_cell(cell) for cell in row]) for row in _after(heads, rows))
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer["Cache-Control"] = "private, no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def safe_cell(value: Any) -> str:
    """The value as text that no spreadsheet runs: an apostrophe stands before what would be a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) and not isinstance(value, int | float) else text


def newest_first(rows: QuerySet[Any]) -> Iterator[Any]:
    """Each row of a table with a moment `at`, the newest first, by as many queries as there are thousands of rows.

    MySQL's client would fetch the whole answer of a single query before its first row.
    """
    rows, last = rows.order_by("-at", "-pk"), None
    while batch := list(rows[:BATCH] if last is None else rows.filter(_before(last))[:BATCH]):
        yield from batch
        last = batch[-1]


def _before(last: Model) -> Q:
    at = last.at  # type: ignore[attr-defined]
    return Q(at__lte=at) & (Q(at__lt=at) | Q(pk__lt=last.pk))


def _after(heads: Sequence[Any], rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    yield [str(head) for head in heads]
    yield from rows
