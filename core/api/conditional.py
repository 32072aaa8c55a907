"""Conditional requests: `ETag` and `If-None-Match` on reads, `If-Match` on writes.

The ETag of a list is a digest of the response body. That of an object is `"<state>.<body>"`: the state is a digest of
the object without the fields in `EXCLUDED_FROM_STATE`, such as counters. `If-None-Match` compares the whole ETag.
`If-Match` of PUT and PATCH compares only the state, so that a like does not reject the author's edit; that of DELETE
the whole ETag, because it would delete what others have added since. The ETag is computed while the row is locked. A
response to a write that contains the object has the ETag of the next GET.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.http import ConditionalGetMiddleware
from django.utils.cache import set_response_etag
from django.utils.http import parse_etags
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.exceptions import APIProblem
from core.api.renderers import JSONRenderer
from core.db.locking import lock_rows
from core.db.transactions import atomic_with_retry

CONDITIONAL_METHODS = ("PUT", "PATCH", "DELETE")
# Fields that change without a change of the object itself, and the caller's own rows, which have a state of their own.
EXCLUDED_FROM_STATE = frozenset(
    {
        *("attended_count", "average_rating", "club_average_rating", "counts", "last_post_at", "likes_count"),
        *("members_count", "members_finished", "posts_count", "ratings_count", "reactions", "reviews_count"),
        *("times_considered", "updated_at", "uses", "voters_count"),
        *("books", "current_entry", "next_meeting"),
        # It depends on the language of the caller; `editions`, which it is taken from, is compared.
        "local_title",
        *("liked", "my_progress", "my_reactions", "my_review", "my_rsvp"),
    }
)
OBJECT_ETAG = re.compile(r'"[0-9a-f]{16}\.[0-9a-f]{32}"')
# Caddy and Apache append the encoding to the ETag of a response that they compress.
ENCODING_SUFFIX = re.compile(r'-(?:br|deflate|gzip|zstd)(?=")')


class ETagMiddleware(ConditionalGetMiddleware):
    """Django's middleware, but HEAD has the ETag of GET too.

    At this point the response to HEAD still has the body of GET; the server drops it later.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Add the ETag or return 304. Errors have no ETag, because their body contains the request id."""
        if response.status_code >= 400:
            return response
        if getattr(response, "state", ""):
            set_etag(cast(HttpResponse, response))
        method, request.method = request.method, "GET" if request.method == "HEAD" else request.method
        try:
            return super().process_response(request, response)
        finally:
            request.method = method


def with_if_match(handler: Callable[..., Any], request: Request, view: Any) -> Callable[..., Any]:
    """Run a write with `If-Match` in one transaction, so that the object cannot change between check and write.

    It is the outermost transaction, and so the one that is retried after a deadlock.
    """
    compares = isinstance(view, IfMatchMixin) and request.method in CONDITIONAL_METHODS
    if not compares or "If-Match" not in request.headers:
        return handler
    view.is_conditional = True
    return atomic_with_retry(partial(_run_if_match, handler, view))


def _run_if_match(handler: Callable[..., Any], view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
    """Run the handler; if the object has changed, raise 412, which rolls the write back.

    The handler runs first, because 403 and 404 take precedence over the precondition (RFC 9110, 13.2.1). The
    precondition takes precedence over errors in the body and conflicts. A write that changes nothing succeeds with an
    older ETag: it may be the repetition of one whose response was lost (RFC 9110, 13.1.1).
    """
    view.is_stale = False
    try:
        response: Response = handler(request, *args, **kwargs)
    except APIException as error:
        if error.status_code in (400, 409):
            view.require_current()
        raise
    if view.is_stale and not view.is_unchanged():
        view.require_current()
    return response


def normalize_etags(request: HttpRequest) -> None:
    """Remove what a proxy that compresses responses has appended to the ETags of the request."""
    for name in ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"):
        if sent := request.META.get(name):
            request.META[name] = ENCODING_SUFFIX.sub("", sent)
            request.__dict__.pop("headers", None)  # cached, if an outer middleware has read them


def compute_state(data: Mapping[str, Any]) -> str:
    """Return the digest of an object as responses show it, without its counters."""
    stable = {name: value for name, value in data.items() if name not in EXCLUDED_FROM_STATE}
    return hashlib.md5(JSONRenderer().render(stable), usedforsecurity=False).hexdigest()[:16]


def set_etag(response: HttpResponse) -> None:
    """Set the ETag of a rendered response: the state, if the response has one, and the digest of the body."""
    if response.has_header("ETag"):
        return
    set_response_etag(response)
    if state := getattr(response, "state", ""):
        response["ETag"] = f'"{state}.{response["ETag"][1:]}'


def compute_etag(data: Mapping[str, Any], request: Request) -> str:
    """Return the ETag of the response that has this data."""
    response: Any = HttpResponse(JSONRenderer().render(data, request.accepted_media_type))
    response.state = compute_state(data)
    set_etag(response)
    return cast(str, response["ETag"])


class IfMatchMixin:
    """Compare `If-Match` with the state of the object that `get_object` returns; 412 if it has changed."""

    # Set by `with_if_match`. OPTIONS, which looks up what PUT would find, is never conditional.
    is_conditional = False
    # Whether `If-Match` names another state than the object's.
    is_stale = False
    # The object before a conditional write, as a response shows it.
    data_before: Mapping[str, Any]

    def get_unlocked_object(self) -> Any:
        """Return the object without locking it. Override this instead of `get_object()`."""
        return super().get_object()  # type: ignore[misc]

    def get_object(self) -> Any:
        """Return the object; for a conditional write, lock it, reload it and compare its state first."""
        obj = self.get_unlocked_object()
        if self.is_conditional:
            self.lock_object(obj)
            obj = self.get_unlocked_object()
            self.data_before = self.get_data(obj)
            self.is_stale = not self.matches(self.data_before)
        return obj

    def matches(self, data: Mapping[str, Any]) -> bool:
        """Return whether `If-Match` names the object that has this data."""
        request: Any = self.request  # type: ignore[attr-defined]
        # A proxy that compresses responses weakens their tags.
        etags = [etag.removeprefix("W/") for etag in parse_etags(request.headers["If-Match"])]
        if etags == ["*"]:
            return True
        if request.method == "DELETE":
            return compute_etag(data, request) in etags
        return compute_state(data) in [etag.strip('"').partition(".")[0] for etag in etags]

    def is_unchanged(self) -> bool:
        """Return whether the write has changed nothing, and `If-Match` has an ETag that may have been the object's."""
        if not OBJECT_ETAG.search(self.request.headers["If-Match"]):  # type: ignore[attr-defined]
            return False
        try:
            obj = self.get_unlocked_object()
            self.lock_object(obj)
            data = self.get_data(self.get_unlocked_object())
        except (APIException, Http404):
            return False
        return {**data, "updated_at": None} == {**self.data_before, "updated_at": None}

    def require_current(self) -> None:
        """Raise APIProblem `precondition_failed` if the object is not in the state that `If-Match` names.

        For handlers that should stop before expensive work; for all others it is called at the end.
        """
        if self.is_stale:
            raise APIProblem(412, "precondition_failed", _("The resource has changed since you last fetched it."))

    def lock_object(self, obj: Model) -> None:
        """Lock the object's row until the transaction ends."""
        lock_rows(type(obj), [obj.pk])

    def get_data(self, obj: Any) -> Mapping[str, Any]:
        """Return the data of the GET by this user whose ETag `If-Match` names."""
        data: Mapping[str, Any] = self.get_serializer(obj).data  # type: ignore[attr-defined]
        return data
