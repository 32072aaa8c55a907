"""Streaming CSV exports of tables of any size."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.http import StreamingHttpResponse

BATCH_SIZE = 2_000
# Spreadsheets treat a cell with one of these prefixes as a formula (OWASP, CSV injection).
FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    def write(self, line: str) -> str:
        return line


def csv_response(name: str, heads: Sequence[Any], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """Return a streaming response with these rows."""
    writer: Any = csv.writer(_Echo())
    lines = (writer.writerow([escape_formula(cell) for cell in row]) for row in _with_header(heads, rows))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def escape_formula(value: Any) -> str:
    """Return the value as text, with an apostrophe before what would be a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA_PREFIXES) and not isinstance(value, int | float) else text


def iter_newest_first(rows: QuerySet[Any]) -> Iterator[Any]:
    """Yield the rows of a table with a `created_at` column, the newest first, in batches.

    MySQL's client would fetch the whole result of a single query before the first row.
    """
    rows, last = rows.order_by("-created_at", "-pk"), None
    while batch := list(rows[:BATCH_SIZE] if last is None else rows.filter(_older_than(last))[:BATCH_SIZE]):
        yield from batch
        last = batch[-1]


def _older_than(last: Model) -> Q:
    created_at = last.created_at  # type: ignore[attr-defined]
    return Q(created_at__lte=created_at) & (Q(created_at__lt=created_at) | Q(pk__lt=last.pk))


def _with_header(heads: Sequence[Any], rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    yield [str(head) for head in heads]
    yield from rows
