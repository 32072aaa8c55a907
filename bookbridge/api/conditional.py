"""If-Match: a change that was based on an older state is refused, not lost or half-merged.

Every GET gets its ETag from Django's middleware (a digest of the answer's bytes). Here the same digest
is made of what GET would answer now, under a lock on the row, and compared before PATCH, PUT and DELETE.
"""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.http import ConditionalGetMiddleware
from django.utils.cache import set_response_etag
from django.utils.http import parse_etags
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from bookbridge.api.errors import Problem
from bookbridge.api.renderers import JSONRenderer
from bookbridge.api.rows import hold
from bookbridge.api.transactions import retrying_atomic

WRITES = ("put", "patch", "delete")


class ConditionalReads(ConditionalGetMiddleware):
    """Django's, and HEAD too has the ETag of GET: its answer has GET's body here, which the server drops later."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """The answer with its ETag, or 304. An error has none: it carries the id of its request."""
        if response.status_code >= 400:
            return response
        method, request.method = request.method, "GET" if request.method == "HEAD" else request.method
        try:
            return super().process_response(request, response)
        finally:
            request.method = method


class ConditionalWrites:
    """View mixin: PUT, PATCH and DELETE honour `If-Match`; 412 when the object has changed since."""

    # Whether this call is one: OPTIONS tries what a PUT would find, without the transaction around it.
    is_conditional = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After sign-in and permissions: one transaction around a conditional write, so that nothing comes between.

        It is the outermost one, and so what is begun again where the database loses it to a deadlock.
        """
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        method = str(request.method).lower()
        if "If-Match" in request.headers and method in WRITES and hasattr(self, method):
            self.is_conditional = True
            # DRF looks the method up after this, so it finds the transaction.
            setattr(self, method, retrying_atomic(getattr(self, method)))

    def find_object(self) -> Any:
        """The object this view is about; a view that has another way to it overrides this."""
        return super().get_object()  # type: ignore[misc]

    def get_object(self) -> Any:
        """The object; for a conditional write locked, read afresh and compared first."""
        obj = self.find_object()
        if self.is_conditional:
            self.lock(obj)
            obj = self.find_object()
            wanted = parse_etags(self.request.headers["If-Match"])  # type: ignore[attr-defined]
            if wanted != ["*"] and self.etag_of(obj) not in wanted:
                raise Problem(412, "precondition_failed", _("This has changed since you read it."))
        return obj

    def lock(self, obj: Model) -> None:
        """Hold the row until the transaction ends."""
        hold(type(obj), [obj.pk])

    def etag_of(self, obj: Any) -> str:
        """The ETag that GET would give this caller now."""
        data = self.get_serializer(obj).data  # type: ignore[attr-defined]
        response = HttpResponse(JSONRenderer().render(data, self.request.accepted_media_type))  # type: ignore[attr-defined]
        set_response_etag(response)
        return response["ETag"]
