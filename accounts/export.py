"""Export of all data about one user, as a JSON document.

Each app registers its sections in its `contributions.py`. A section contains what the user wrote and did, with the ids
of the objects concerned, and nothing about others that the user could not see at that moment.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from decimal import Decimal
from hashlib import sha256
from typing import IO, Any

from django.db.models import F, Model, QuerySet
from rest_framework import serializers
from rest_framework.serializers import BaseSerializer

from accounts.blocks import Block
from accounts.export_schema import Field, build_fields, build_row_serializer
from accounts.models import AuthSession, User
from accounts.serializers import ExportedAccountSerializer, ExportedSecretsSerializer
from core.api.renderers import JSONEncoder
from core.models import IdempotencyRecord
from core.registry import export_sections

Row = Mapping[str, Any]

# Rows per query, and bytes buffered in memory before a temporary file is used.
BATCH_SIZE, SPOOL_BYTES = 500, 1_000_000


def build_export(user: User) -> tuple[IO[bytes], int, str]:
    """Return the export as an open file, its length and its SHA-256.

    It is complete before the first byte is sent, so that a failure never produces a truncated document.
    """
    digest = sha256()
    with ExitStack() as on_error:
        file = on_error.enter_context(tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES))
        for chunk in _iter_chunks(user):
            data = chunk.encode()
            file.write(data)
            digest.update(data)
        length = file.tell()
        file.seek(0)
        on_error.pop_all()
    return file, length, digest.hexdigest()


class ExportRows:
    """The rows of a section, with the fields or the serializer that describe them in the OpenAPI document."""

    def __init__(
        self,
        rows: Iterable[Row],
        *,
        get_fields: Callable[[], dict[str, Field]] = dict,
        serializer: type[BaseSerializer[Any]] | None = None,
    ) -> None:
        self.rows, self._get_fields, self._serializer = rows, get_fields, serializer

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def map(self, function: Callable[[Row], Row], **fields: Field) -> ExportRows:
        """Apply `function` to each row. `fields` describe the columns that it changes."""
        return ExportRows(map(function, self.rows), get_fields=lambda: self._get_fields() | fields)

    def get_serializer(self, section: str) -> BaseSerializer[Any]:
        """Return the serializer of the rows of this section."""
        return (self._serializer or build_row_serializer(section, self._get_fields()))(many=True)


# A section has rows, or is one object.
Section = ExportRows | BaseSerializer[Any]


def iter_rows(queryset: QuerySet[Any], *columns: str, **aliases: Any) -> ExportRows:
    """Return the columns of each row by id, in batches; `aliases` renames columns (`book_title="book__title"`)."""
    annotations = {name: F(path) if isinstance(path, str) else path for name, path in aliases.items()}
    rows = queryset.order_by("pk").values("id", *columns, **annotations)
    return ExportRows(_iter_batches(rows), get_fields=lambda: build_fields(rows))


def _iter_batches(rows: QuerySet[Any, dict[str, Any]]) -> Iterator[Row]:
    last_id = 0
    while page := list(rows.filter(pk__gt=last_id)[:BATCH_SIZE]):
        last_id = page[-1]["id"]
        yield from page


def iter_serialized(queryset: QuerySet[Any], serializer: type[BaseSerializer[Any]]) -> ExportRows:
    """Return each row as the API serializes it, by id, in batches."""
    return ExportRows(_iter_serialized(queryset, serializer), serializer=serializer)


def _iter_serialized(queryset: QuerySet[Any], serializer: type[BaseSerializer[Any]]) -> Iterator[Row]:
    last_id = 0
    page: list[Model]
    while page := list(queryset.filter(pk__gt=last_id).order_by("pk")[:BATCH_SIZE]):
        last_id = page[-1].pk
        yield from serializer(page, many=True).data


class DataExportSerializer(serializers.Serializer[Any]):
    """All data about one user. Each section is a list of rows or a single object.

    Statuses and similar values are plain strings, because old rows may have values that no longer exist.
    """

    def get_fields(self) -> dict[str, Field]:
        """Return a field for each section."""
        return {name: _describe(name, build) for name, build in export_sections.items()}


def _describe(name: str, build: Callable[[User], Section]) -> Field:
    # The user does not have to exist, because rows are only read when the section is iterated.
    section = build(User(pk=0))
    return section if isinstance(section, BaseSerializer) else section.get_serializer(name)


class _Encoder(JSONEncoder):
    """Encodes like the API: decimals as numbers, times in UTC with Z."""

    def default(self, obj: Any) -> Any:
        return float(obj) if isinstance(obj, Decimal) else super().default(obj)


def _iter_chunks(user: User) -> Iterator[str]:
    encode = _Encoder(ensure_ascii=False).encode
    separator = "{"
    for name, build in export_sections.items():
        yield f"{separator}{encode(name)}: "
        section, separator = build(user), ",\n"
        if isinstance(section, BaseSerializer):
            yield encode(section.data)
            continue
        row_separator = "["
        for row in section:
            yield row_separator + encode(row)
            row_separator = ",\n"
        yield "[]" if row_separator == "[" else "]"
    yield "}"


def _sessions(user: User) -> Section:
    return iter_rows(
        AuthSession.objects.filter(user=user), "device", "created_at", "last_used_at", "expires_at", "ended_at"
    )


EXPORT_SECTIONS: dict[str, Callable[[User], Section]] = {
    "account": ExportedAccountSerializer,
    "secrets": ExportedSecretsSerializer,
    "sign_ins": _sessions,
    "blocks": lambda user: iter_rows(Block.objects.placed_by(user), "created_at", username="blocked__username"),
    "retries": lambda user: iter_rows(IdempotencyRecord.objects.filter(user=user), "created_at", "status"),
}
