"""Conditional requests: `ETag` and `If-None-Match` on reads, `If-Match` on writes.

Django's middleware gives every GET an ETag, a digest of the response body. A response to a write that contains the
object has the same bytes as the next GET, and so the same ETag. For a write with `If-Match`, the ETag of the current
state is computed while the row is locked, so that a change based on an older state is rejected.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
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


class ETagMiddleware(ConditionalGetMiddleware):
    """Django's middleware, but HEAD has the ETag of GET too.

    At this point the response to HEAD still has the body of GET; the server drops it later.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Add the ETag or return 304. Errors have no ETag, because their body contains the request id."""
        if response.status_code >= 400:
            return response
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
    precondition takes precedence over errors in the body and conflicts.
    """
    view.is_stale = False
    try:
        response: Response = handler(request, *args, **kwargs)
    except APIException as error:
        if error.status_code in (400, 409):
            view.require_current()
        raise
    view.require_current()
    return response


def compute_etag(data: Any, request: Request) -> str:
    """Return the ETag of the response that has this data."""
    response = HttpResponse(JSONRenderer().render(data, request.accepted_media_type))
    set_response_etag(response)
    return response["ETag"]


class IfMatchMixin:
    """Compare `If-Match` with the object that `get_object` returns; 412 if it has changed."""

    # Set by `with_if_match`. OPTIONS, which looks up what PUT would find, is never conditional.
    is_conditional = False
    # Whether `If-Match` names another state than the object's.
    is_stale = False

    def get_unlocked_object(self) -> Any:
        """Return the object without locking it. Override this instead of `get_object()`."""
        return super().get_object()  # type: ignore[misc]

    def get_object(self) -> Any:
        """Return the object; for a conditional write, lock it, reload it and compare its ETag first."""
        obj = self.get_unlocked_object()
        if self.is_conditional:
            self.lock_object(obj)
            obj = self.get_unlocked_object()
            # A proxy that compresses responses weakens their tags.
            etags = [etag.removeprefix("W/") for etag in parse_etags(self.request.headers["If-Match"])]  # type: ignore[attr-defined]
            self.is_stale = etags != ["*"] and self.get_etag(obj) not in etags
        return obj

    def require_current(self) -> None:
        """Raise APIProblem `precondition_failed` if the object is not in the state that `If-Match` names.

        For handlers that should stop before expensive work; for all others it is called at the end.
        """
        if self.is_stale:
            raise APIProblem(412, "precondition_failed", _("The resource has changed since you last fetched it."))

    def lock_object(self, obj: Model) -> None:
        """Lock the object's row until the transaction ends."""
        lock_rows(type(obj), [obj.pk])

    def get_etag(self, obj: Any) -> str:
        """Return the ETag that a GET by this user would have now."""
        return compute_etag(self.get_serializer(obj).data, self.request)  # type: ignore[attr-defined]
