"""Conditional requests: `ETag` and `If-None-Match` on reads, `If-Match` on writes.

Django's middleware gives every GET an ETag, a digest of the response body. For a write with `If-Match` the same digest
is computed of what GET would return now, while the row is locked, so that a change based on an older state is rejected.
"""

from collections.abc import Callable
from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.http import ConditionalGetMiddleware
from django.utils.cache import set_response_etag
from django.utils.http import parse_etags
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

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
    return atomic_with_retry(handler)


class IfMatchMixin:
    """Compare `If-Match` with the object that `get_object` returns; 412 if it has changed."""

    # Set by `with_if_match`. OPTIONS, which looks up what PUT would find, is never conditional.
    is_conditional = False

    def get_unlocked_object(self) -> Any:
        """Return the object without locking it. Override this instead of `get_object()`."""
        return super().get_object()  # type: ignore[misc]

    def get_object(self) -> Any:
        """Return the object; for a conditional write, lock it, reload it and compare its ETag first."""
        obj = self.get_unlocked_object()
        if self.is_conditional:
            self.lock_object(obj)
            obj = self.get_unlocked_object()
            etags = parse_etags(self.request.headers["If-Match"])  # type: ignore[attr-defined]
            if etags != ["*"] and self.get_etag(obj) not in etags:
                raise APIProblem(412, "precondition_failed", _("The resource has changed since you last fetched it."))
        return obj

    def lock_object(self, obj: Model) -> None:
        """Lock the object's row until the transaction ends."""
        lock_rows(type(obj), [obj.pk])

    def get_etag(self, obj: Any) -> str:
        """Return the ETag that a GET by this user would have now."""
        data = self.get_serializer(obj).data  # type: ignore[attr-defined]
        response = HttpResponse(JSONRenderer().render(data, self.request.accepted_media_type))  # type: ignore[attr-defined]
        set_response_etag(response)
        return response["ETag"]
