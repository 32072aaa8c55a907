"""Idempotency-Key: a retried POST gets the stored response, and its effect happens once."""

import datetime
import json
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from hashlib import file_digest
from typing import Any, cast

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, InterfaceError, OperationalError, connection
from django.http import QueryDict
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.exceptions import RETRY_AFTER_SECONDS, APIProblem, Conflict
from core.api.renderers import JSONRenderer
from core.db.transactions import atomic_with_retry
from core.encryption import decrypt, encrypt, secret_keys
from core.models import RETENTION, IdempotencyRecord, IdempotencyRecordQuerySet
from core.search.normalize import sha256_hex

# A call that has run for longer was killed with its worker: its key may be used again.
CLAIM_TIMEOUT = datetime.timedelta(seconds=90)
# Claims that this process could not release because the database was down. Beyond the limit the oldest are dropped,
# and expire.
_lost_claims: deque[IdempotencyRecord] = deque(maxlen=1000)
ENCRYPTION_PURPOSE = "idempotency"
DATABASE_UNAVAILABLE = (OperationalError, InterfaceError)
# Headers that a handler may set. `WriteResponseMixin` derives those of all other responses again.
STORED_HEADERS = ("ETag", "Location")


def preserve_body(request: Request) -> None:
    """Read the body of a call with a key, which is part of its digest, before a throttle or a parser consumes it."""
    if _client_key(request) is not None:
        request._request.body  # noqa: B018


def with_idempotency_key(handler: Callable[..., Any], request: Request) -> Callable[..., Any]:
    """Run a signed-in user's POST with `Idempotency-Key` once, and replay its response for a retry.

    The claim on the key is committed first, so that a parallel call gets 409 immediately. The effect and the stored
    response are committed together: a retry after a crash finds both or neither.
    """
    key = _client_key(request)
    if key is None or not request.user.is_authenticated:
        return handler
    if not 1 <= len(key) <= 255:
        raise APIProblem(400, "invalid_idempotency_key", _("Idempotency-Key must have 1 to 255 characters."))
    return partial(_run_once, handler, key)


def has_stored_response(request: Request) -> bool:
    """Whether the response to this call, key and body, is stored."""
    key = _client_key(request)
    if key is None:
        return False
    stored = IdempotencyRecord.objects.filter(key=_record_key(request, key), request_digest__in=_digests(request))
    return stored.filter(created_at__gt=timezone.now() - RETENTION).exclude(status=None).exists()


def _client_key(request: Request) -> str | None:
    return request.headers.get("Idempotency-Key") if request.method == "POST" else None


def _run_once(handler: Callable[..., Any], client_key: str, request: Request, *args: Any, **kwargs: Any) -> Response:
    digests = _digests(request)
    if not digests:
        # The parser responds with 400. A claim with this body would reject the retry of a truncated request.
        return cast(Response, handler(request, *args, **kwargs))
    _release_lost_claims()
    claim = _claim(request, _record_key(request, client_key), digests)
    if claim.status is not None:
        return _replay_response(claim)
    try:
        return atomic_with_retry(partial(_run_and_store, claim, handler))(request, *args, **kwargs)
    except BaseException:
        # An error is not stored: the client may correct the request and use the key again. A response that was
        # committed before the connection broke stays, because its effect is committed too.
        _release(claim)
        raise


def _release(claim: IdempotencyRecord) -> bool:
    """Delete the claim, also after a lost connection: a retry would otherwise wait for the timeout.

    Return False if the database is down. The next call with a key then tries again.
    """
    try:
        _own_claim(claim).delete()
    except DATABASE_UNAVAILABLE:
        if not connection.in_atomic_block:
            connection.close()
        try:
            _own_claim(claim).delete()
        except DATABASE_UNAVAILABLE:
            _lost_claims.append(claim)
            return False
    return True


def _release_lost_claims() -> None:
    """Delete the claims of calls that lost the database before they could."""
    with suppress(IndexError):  # another thread has taken the last one
        while _lost_claims and _release(_lost_claims.popleft()):
            pass


def _record_key(request: Request, client_key: str) -> str:
    return sha256_hex(f"{request.user.pk} {request.path} {client_key}")


def _digests(request: Request) -> list[str]:
    """Return the digest of the body: the same for the same JSON value, and for the same parts of an upload.

    It is keyed, because a body may contain a password that could be guessed from a plain digest. The digests with
    former keys follow. The list is empty for a body that is neither.
    """
    multipart = request._request.content_type == "multipart/form-data"
    body = _canonical_parts(request) if multipart else _canonical_json(request._request.body)
    if body is None:
        return []
    return [salted_hmac(ENCRYPTION_PURPOSE, body, key, algorithm="sha256").hexdigest() for key in secret_keys()]


def _canonical_json(body: bytes) -> bytes | None:
    """Return the body without what does not count in JSON: white space, the order of keys, `4.0` for `4`.

    Return an empty body as it is, and None for one that is not JSON.
    """
    if not body:
        return body
    try:
        return json.dumps(json.loads(body.decode(), parse_float=_number), sort_keys=True).encode()
    except (ValueError, RecursionError):
        return None


def _number(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number


def _canonical_parts(request: Request) -> bytes:
    """Return the names and values of the parts. Their order counts only among parts with the same name."""
    data = cast(QueryDict, request.data)
    parts = {name: [_part(value) for value in values] for name, values in data.lists()}
    return json.dumps(parts, sort_keys=True).encode()


def _part(value: Any) -> Any:
    if not isinstance(value, UploadedFile):
        return value
    digest = file_digest(value, "sha256").hexdigest()
    value.seek(0)
    return {"name": value.name, "type": value.content_type, "sha256": digest}


def _claim(request: Request, key: str, digests: list[str]) -> IdempotencyRecord:
    """Return a claim on the key, or the stored response; raise APIProblem if there is neither."""
    now, digest = timezone.now(), digests[0]
    claim = IdempotencyRecord(user_id=int(request.user.pk or 0), key=key, request_digest=digest, created_at=now)
    try:
        return _insert(claim)
    except IntegrityError:
        first = IdempotencyRecord.objects.filter(key=key).first()
    except DATABASE_UNAVAILABLE:
        # The claim may have been committed although the response of the database was lost.
        _release(claim)
        raise
    if first is not None and first.created_at < now - (CLAIM_TIMEOUT if first.status is None else RETENTION):
        # Expired: of several calls that find it, the one that still matches in its UPDATE takes over the key.
        expired = IdempotencyRecord.objects.filter(pk=first.pk, created_at=first.created_at)
        if not expired.update(request_digest=digest, created_at=now, status=None, response_body=""):
            raise _in_progress(request)
        first.created_at, first.status = now, None
        return first
    if first is not None and first.request_digest not in digests:
        raise APIProblem(
            422, "idempotency_key_reused", _("This idempotency key was already used with a different request body.")
        )
    if first is None or first.status is None:
        raise _in_progress(request)
    return first


@atomic_with_retry
def _insert(claim: IdempotencyRecord) -> IdempotencyRecord:
    claim.save(force_insert=True)
    return claim


def _own_claim(claim: IdempotencyRecord) -> IdempotencyRecordQuerySet:
    """Return the claim, unless it has a response or was taken over by another call."""
    return IdempotencyRecord.objects.filter(key=claim.key, created_at=claim.created_at, status=None)


def _run_and_store(
    claim: IdempotencyRecord, handler: Callable[..., Any], request: Request, *args: Any, **kwargs: Any
) -> Response:
    response: Response = handler(request, *args, **kwargs)
    if 200 <= response.status_code < 300:
        headers = {name: response[name] for name in STORED_HEADERS if response.has_header(name)}
        stored = JSONRenderer().render({"data": response.data, "headers": headers}).decode()
        encrypted = encrypt(stored, purpose=ENCRYPTION_PURPOSE)
        if not _own_claim(claim).update(status=response.status_code, response_body=encrypted):
            # Another call took over the claim after the timeout: its effect counts, so this one is rolled back.
            raise _in_progress(request)
    else:
        _own_claim(claim).delete()
    return response


def _in_progress(request: Request) -> Conflict:
    text = _("The first call with this key is still running.")
    conflict = Conflict("idempotency_in_progress", text, idempotency_key=_client_key(request))
    conflict.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return conflict


def _replay_response(stored: IdempotencyRecord) -> Response:
    text = decrypt(stored.response_body, purpose=ENCRYPTION_PURPOSE)
    if text is None:
        raise APIProblem(
            422, "idempotency_key_reused", _("The stored response for this key can no longer be decrypted.")
        )
    response = json.loads(text)
    headers = {**response["headers"], "Idempotency-Replayed": "true"}
    return Response(response["data"], status=stored.status, headers=headers)
