"""Everything that is held about one reader, as one JSON document.

Each app adds its sections in `ready()`. A section tells what the reader is, wrote and did, with the ids of what it is
about; of others it tells nothing that the reader could not read at that moment.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from decimal import Decimal
from hashlib import sha256
from typing import IO, Any

from django.db.models import F, Model, QuerySet
from rest_framework.serializers import BaseSerializer
from rest_framework.utils.encoders import JSONEncoder

from accounts.blocks import Block
from accounts.models import AuthSession, MailToken, User
from accounts.serializers import OwnUserSerializer
from accounts.staff.models import RecoveryCode, SecondFactor
from bookbridge.api.models import KeptAnswer
from bookbridge.api.registry import export_sections

Section = Mapping[str, Any] | Iterable[Mapping[str, Any]]

# Rows read at a time, and bytes that are kept in memory before a file takes them.
BATCH, IN_MEMORY = 500, 1_000_000


def document(user: User) -> tuple[IO[bytes], int, str]:
    """The document as an open file, its length, and the digest of its bytes.

    It is whole before the first byte is sent, so that a fault half-way is an error and no torn document.
    """
    digest = sha256()
    with ExitStack() as unless_whole:
        file = unless_whole.enter_context(tempfile.SpooledTemporaryFile(max_size=IN_MEMORY))
        for piece in _pieces(user):
            data = piece.encode()
            file.write(data)
            digest.update(data)
        length = file.tell()
        file.seek(0)
        unless_whole.pop_all()
    return file, length, digest.hexdigest()


def rows(found: QuerySet[Any], *columns: str, **named: Any) -> Iterator[dict[str, Any]]:
    """These columns of each row, and what is `named` by another (`book_title="book__title"`), by id, part by part."""
    last = 0
    renamed = {name: F(path) if isinstance(path, str) else path for name, path in named.items()}
    while page := list(found.filter(pk__gt=last).order_by("pk").values("pk", *columns, **renamed)[:BATCH]):
        last = page[-1]["pk"]
        for row in page:
            yield {"id": row.pop("pk"), **row}


def answers(found: QuerySet[Any], serializer: type[BaseSerializer[Any]]) -> Iterator[dict[str, Any]]:
    """Each row as the API answers it, by id, part by part."""
    last = 0
    page: list[Model]
    while page := list(found.filter(pk__gt=last).order_by("pk")[:BATCH]):
        last = page[-1].pk
        yield from serializer(page, many=True).data


class _Encoder(JSONEncoder):
    """As answers are written: numbers as numbers, moments in UTC with Z."""

    def default(self, obj: Any) -> Any:
        return float(obj) if isinstance(obj, Decimal) else super().default(obj)


def _pieces(user: User) -> Iterator[str]:
    encode = _Encoder(ensure_ascii=False).encode
    start = "{"
    for name, tell in export_sections.items():
        yield f"{start}{encode(name)}: "
        section, start = tell(user), ",\n"
        if isinstance(section, Mapping):
            yield encode(section)
            continue
        comma = "["
        for row in section:
            yield comma + encode(row)
            comma = ",\n"
        yield "[]" if comma == "[" else "]"
    yield "}"


def _account(user: User) -> Section:
    more = ("suspended_until", "last_login", "reviews_count")
    return {**OwnUserSerializer(user).data, **{name: getattr(user, name) for name in more}}


def _secrets(user: User) -> Section:
    """That there are secrets, not what they are."""
    factor = SecondFactor.objects.filter(user=user).first()
    return {
        "second_factor_since": factor and factor.created_at,
        "recovery_codes": RecoveryCode.objects.filter(factor__user=user).count(),
        "mailed_links": list(MailToken.objects.filter(user=user).values("purpose", "email", "expires_at")),
    }


def _sign_ins(user: User) -> Section:
    return rows(AuthSession.objects.filter(user=user), "device", "created_at", "last_used_at", "expires_at", "ended_at")


SECTIONS = {
    "account": _account,
    "secrets": _secrets,
    "sign_ins": _sign_ins,
    "blocks": lambda user: rows(Block.objects.of(user), "created_at", username="blocked__username"),
    "retries": lambda user: rows(KeptAnswer.objects.filter(user=user), "created_at", "status"),
}
