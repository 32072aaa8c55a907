"""Export of all data about one user, as a JSON document.

Each app registers its sections in its `contributions.py`. A section contains what the user wrote and did, with the ids
of the objects concerned, and nothing about others that the user could not see at that moment.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from decimal import Decimal
from hashlib import sha256
from typing import IO, Any

from django.db.models import F, Model, QuerySet
from rest_framework.serializers import BaseSerializer

from accounts.blocks import Block
from accounts.models import AuthSession, EmailToken, User
from accounts.serializers import CurrentUserSerializer
from accounts.two_factor.models import RecoveryCode, TOTPDevice
from core.api.renderers import JSONEncoder
from core.models import IdempotencyRecord
from core.registry import export_sections

Section = Mapping[str, Any] | Iterable[Mapping[str, Any]]

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


def iter_rows(queryset: QuerySet[Any], *columns: str, **aliases: Any) -> Iterator[dict[str, Any]]:
    """Yield the columns of each row by id, in batches; `aliases` renames columns (`book_title="book__title"`)."""
    last_id = 0
    annotations = {name: F(path) if isinstance(path, str) else path for name, path in aliases.items()}
    rows = queryset.order_by("pk").values("pk", *columns, **annotations)
    while page := list(rows.filter(pk__gt=last_id)[:BATCH_SIZE]):
        last_id = page[-1]["pk"]
        for row in page:
            yield {"id": row.pop("pk"), **row}


def iter_serialized(queryset: QuerySet[Any], serializer: type[BaseSerializer[Any]]) -> Iterator[dict[str, Any]]:
    """Yield each row as the API serializes it, by id, in batches."""
    last_id = 0
    page: list[Model]
    while page := list(queryset.filter(pk__gt=last_id).order_by("pk")[:BATCH_SIZE]):
        last_id = page[-1].pk
        yield from serializer(page, many=True).data


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
        if isinstance(section, Mapping):
            yield encode(section)
            continue
        row_separator = "["
        for row in section:
            yield row_separator + encode(row)
            row_separator = ",\n"
        yield "[]" if row_separator == "[" else "]"
    yield "}"


def _account(user: User) -> Section:
    extra_fields = ("suspended_until", "last_login", "reviews_count")
    return {**CurrentUserSerializer(user).data, **{name: getattr(user, name) for name in extra_fields}}


def _secrets(user: User) -> Section:
    """Return which secrets exist, without their values."""
    device = TOTPDevice.objects.filter(user=user).first()
    return {
        "second_factor_since": device and device.created_at,
        "recovery_codes": RecoveryCode.objects.filter(device__user=user).count(),
        "email_tokens": list(EmailToken.objects.filter(user=user).values("purpose", "email", "expires_at")),
    }


def _sessions(user: User) -> Section:
    return iter_rows(
        AuthSession.objects.filter(user=user), "device", "created_at", "last_used_at", "expires_at", "ended_at"
    )


EXPORT_SECTIONS = {
    "account": _account,
    "secrets": _secrets,
    "sign_ins": _sessions,
    "blocks": lambda user: iter_rows(Block.objects.placed_by(user), "created_at", username="blocked__username"),
    "retries": lambda user: iter_rows(IdempotencyRecord.objects.filter(user=user), "created_at", "status"),
}
