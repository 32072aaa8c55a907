"""Idempotency-Key: a retried POST gets the stored response, and its effect happens once."""

import datetime
import json
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any

from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from bookbridge.api.errors import Conflict, Problem
from bookbridge.api.models import KEPT_FOR, KeptAnswer, KeptAnswerQuerySet
from bookbridge.api.renderers import JSONRenderer
from bookbridge.api.sealed import seal, unseal
from bookbridge.api.text import digest_of
from bookbridge.api.transactions import retrying_atomic

# A call that has run for longer was killed with its worker: its key may be used again.
RUNS_AT_MOST = datetime.timedelta(seconds=90)
PURPOSE = "idempotency"


def preserve_body(request: Request) -> None:
    """Read the body of a call with a key, which is part of its digest, before a throttle or a parser consumes it."""
    if _given_key(request) is not None:
        request._request.body  # noqa: B018


def with_idempotency_key(handler: Callable[..., Any], request: Request) -> Callable[..., Any]:
    """Run a signed-in user's POST with `Idempotency-Key` once, and replay its response for a retry.

    The claim on the key is committed first, so that a parallel call gets 409 at once. The effect and the stored
    response are committed together: a retry after a crash finds both or neither.
    """
    key = _given_key(request)
    if key is None or not request.user.is_authenticated:
        return handler
    if not 1 <= len(key) <= 255:
        raise Problem(400, "invalid_idempotency_key", _("Idempotency-Key must have 1 to 255 characters."))
    return partial(_once, handler, key)


def has_stored_response(request: Request) -> bool:
    """Whether the response to this call, key and body, is stored."""
    key = _given_key(request)
    if key is None:
        return False
    stored = KeptAnswer.objects.filter(key=_key(request, key), body=_digest(request))
    return stored.filter(created_at__gt=timezone.now() - KEPT_FOR).exclude(status=None).exists()


def _given_key(request: Request) -> str | None:
    return request.headers.get("Idempotency-Key") if request.method == "POST" else None


def _once(handler: Callable[..., Any], client_key: str, request: Request, *args: Any, **kwargs: Any) -> Response:
    claim = _claim(request, _key(request, client_key), _digest(request))
    if claim.status is not None:
        return _replay(claim)
    try:
        return retrying_atomic(partial(_run_and_keep, claim, handler))(request, *args, **kwargs)
    except BaseException:
        # An error is not stored: the client may correct the request and use the key again. A response that was
        # committed before the connection broke stays, because its effect is committed too.
        _mine(claim).delete()
        raise


def _key(request: Request, client_key: str) -> str:
    return digest_of(f"{request.user.pk} {request.path} {client_key}")


def _digest(request: Request) -> str:
    # The boundary of an upload differs in each attempt, so it is left out.
    body: bytes = request._request.body
    boundary = (request._request.content_params or {}).get("boundary", "")
    if request._request.content_type == "multipart/form-data" and boundary:
        body = body.replace(b"--" + boundary.encode("utf-8", "replace"), b"--")
    return sha256(body).hexdigest()


def _claim(request: Request, key: str, body: str) -> KeptAnswer:
    """Return a claim on the key, or the stored response; raise Problem if there is neither."""
    now = timezone.now()
    try:
        return _insert(KeptAnswer(user_id=int(request.user.pk or 0), key=key, body=body, created_at=now))
    except IntegrityError:
        first = KeptAnswer.objects.filter(key=key).first()
    if first is not None and first.created_at < now - (RUNS_AT_MOST if first.status is None else KEPT_FOR):
        # Expired: of several calls that find it, the one that still matches in its UPDATE takes over the key.
        expired = KeptAnswer.objects.filter(pk=first.pk, created_at=first.created_at)
        if not expired.update(body=body, created_at=now, status=None, answer=""):
            raise _in_progress()
        first.created_at, first.status = now, None
        return first
    if first is not None and first.body != body:
        raise Problem(
            422, "idempotency_key_reused", _("This idempotency key was already used with a different request body.")
        )
    if first is None or first.status is None:
        raise _in_progress()
    return first


@retrying_atomic
def _insert(claim: KeptAnswer) -> KeptAnswer:
    claim.save(force_insert=True)
    return claim


def _mine(claim: KeptAnswer) -> KeptAnswerQuerySet:
    """Return the claim, unless it has a response or was taken over by another call."""
    return KeptAnswer.objects.filter(pk=claim.pk, created_at=claim.created_at, status=None)


def _run_and_keep(
    claim: KeptAnswer, handler: Callable[..., Any], request: Request, *args: Any, **kwargs: Any
) -> Response:
    response: Response = handler(request, *args, **kwargs)
    if 200 <= response.status_code < 300:
        body = JSONRenderer().render(response.data).decode() if response.data is not None else "null"
        encrypted = seal(body, purpose=PURPOSE)
        if not _mine(claim).update(status=response.status_code, answer=encrypted):
            # Another call took over the claim after the timeout: its effect counts, so this one is rolled back.
            raise _in_progress()
    else:
        _mine(claim).delete()
    return response


def _in_progress() -> Conflict:
    return Conflict("idempotency_in_progress", _("The first call with this key is still running."))


def _replay(stored: KeptAnswer) -> Response:
    body = unseal(stored.answer, purpose=PURPOSE)
    if body is None:
        raise Problem(422, "idempotency_key_reused", _("The stored response for this key can no longer be decrypted."))
    return Response(json.loads(body), status=stored.status, headers={"Idempotency-Replayed": "true"})
