"""Idempotency-Key: a POST that is sent again gets the first answer, and its effect happens once."""

import datetime
import json
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any, ClassVar

from django.db import IntegrityError
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from bookbridge.api.errors import Conflict, Forbidden, Problem
from bookbridge.api.models import KEPT_FOR, KeptAnswer, KeptAnswerQuerySet
from bookbridge.api.renderers import JSONRenderer
from bookbridge.api.sealed import seal, unseal
from bookbridge.api.text import digest_of
from bookbridge.api.transactions import retrying_atomic

# A call that has run this long was cut off (its worker was killed): its key may be used again.
RUNS_AT_MOST = datetime.timedelta(seconds=90)
PURPOSE = "idempotency"


class IdempotentPosts:
    """View mixin: POSTs of a signed-in caller honour `Idempotency-Key`.

    The claim on the key is committed first, so that a second call meets it at once (409). The effect and the kept
    answer are then committed together: whoever retries after a crash finds both or neither.

    `parting` names the actions that take from the caller what they need to be called (to leave a club): sent again with
    their key they are not refused, but get their first answer as every other does.
    """

    parting: ClassVar[tuple[str, ...]] = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After DRF's own checks, put the guard around this view's `post`."""
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        if key is not None:
            request._request.body  # noqa: B018  kept for the digest, before a throttle or a parser reads the stream away
        try:
            super().initial(request, *args, **kwargs)  # type: ignore[misc]
        except (Forbidden, Http404):
            if key is None or getattr(self, "action", None) not in self.parting or not _is_known(request, key):
                raise
            # The throttles, which come after the permissions, have not been asked.
            self.check_throttles(request)  # type: ignore[attr-defined]
        if key is not None and request.user.is_authenticated:
            if not 1 <= len(key) <= 255:
                raise Problem(400, "invalid_idempotency_key", _("Idempotency-Key must have 1 to 255 characters."))
            # DRF looks the method up after this, so it finds the guard.
            setattr(self, "post", partial(_once, getattr(self, "post"), key))  # noqa: B009, B010  untyped on purpose


def _once(post: Callable[..., Response], client_key: str, request: Request, *args: Any, **kwargs: Any) -> Response:
    """Run `post` unless its answer is known."""
    claim = _claim(request, _key(request, client_key), _digest(request))
    if claim.status is not None:
        return _replay(claim)
    try:
        return retrying_atomic(partial(_run_and_keep, claim, post))(request, *args, **kwargs)
    except BaseException:
        # A refusal is not kept: the caller may mend what was wrong and use the key again. An answer that was
        # committed before the connection broke stays, since its effect did happen.
        _mine(claim).delete()
        raise


def _key(request: Request, client_key: str) -> str:
    return digest_of(f"{request.user.pk} {request.path} {client_key}")


def _is_known(request: Request, client_key: str) -> bool:
    """Whether the answer to this call is kept."""
    kept = KeptAnswer.objects.filter(key=_key(request, client_key), body=_digest(request))
    return kept.filter(created_at__gt=timezone.now() - KEPT_FOR).exclude(status=None).exists()


def _digest(request: Request) -> str:
    """What tells one body from another; an upload's boundary, which is made anew for each try, is no part of it."""
    body: bytes = request._request.body
    boundary = (request._request.content_params or {}).get("boundary", "")
    if request._request.content_type == "multipart/form-data" and boundary:
        body = body.replace(b"--" + boundary.encode("utf-8", "replace"), b"--")
    return sha256(body).hexdigest()


def _claim(request: Request, key: str, body: str) -> KeptAnswer:
    """A claim on the key, or the answer kept under it; Problem where neither can be had."""
    now = timezone.now()
    try:
        return _insert(KeptAnswer(user_id=int(request.user.pk or 0), key=key, body=body, created_at=now))
    except IntegrityError:
        first = KeptAnswer.objects.filter(key=key).first()
    if first is not None and first.created_at < now - (RUNS_AT_MOST if first.status is None else KEPT_FOR):
        # Nobody waits for it any more; of several who find it, the one whose UPDATE still does has the key.
        found = KeptAnswer.objects.filter(pk=first.pk, created_at=first.created_at)
        if not found.update(body=body, created_at=now, status=None, answer=""):
            raise _in_progress()
        first.created_at, first.status = now, None
        return first
    if first is not None and first.body != body:
        raise Problem(422, "idempotency_key_reused", _("This key was used for another body."))
    if first is None or first.status is None:
        raise _in_progress()
    return first


@retrying_atomic
def _insert(claim: KeptAnswer) -> KeptAnswer:
    claim.save(force_insert=True)
    return claim


def _mine(claim: KeptAnswer) -> KeptAnswerQuerySet:
    """The claim, unless it was answered, or taken over by another call."""
    return KeptAnswer.objects.filter(pk=claim.pk, created_at=claim.created_at, status=None)


def _run_and_keep(
    claim: KeptAnswer, post: Callable[..., Response], request: Request, *args: Any, **kwargs: Any
) -> Response:
    response = post(request, *args, **kwargs)
    if 200 <= response.status_code < 300:
        answer = JSONRenderer().render(response.data).decode() if response.data is not None else "null"
        sealed = seal(answer, purpose=PURPOSE)
        if not _mine(claim).update(status=response.status_code, answer=sealed):
            # Another call took this one for dead: its effect counts, so this one's is rolled back.
            raise _in_progress()
    else:
        _mine(claim).delete()
    return response


def _in_progress() -> Conflict:
    return Conflict("idempotency_in_progress", _("The first call with this key is still running."))


def _replay(kept: KeptAnswer) -> Response:
    answer = unseal(kept.answer, purpose=PURPOSE)
    if answer is None:
        raise Problem(422, "idempotency_key_reused", _("The answer kept under this key can no longer be read."))
    return Response(json.loads(answer), status=kept.status, headers={"Idempotency-Replayed": "true"})
