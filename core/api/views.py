"""Base classes of all API views.

One request: `dispatch` runs the checks in `initial`, then the handler that `get_handler` returns. Everything that wraps
a handler (`If-Match`, the response cache, `Idempotency-Key`) is applied in `get_handler`, and nowhere else.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

from django.http import Http404
from django.http.response import HttpResponseBase
from rest_framework import generics, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView as BaseAPIView

from core.api import idempotency
from core.api.conditional import IfMatchMixin, with_if_match
from core.api.exceptions import PermissionDeniedProblem
from core.api.filters import check_query_parameters
from core.api.idempotency import with_idempotency_key
from core.api.response_cache import with_response_cache
from core.api.write_responses import WriteResponseMixin


def validate(serializer: BaseSerializer[Any]) -> dict[str, Any]:
    """Return the validated data of a serializer; raise ValidationError if the data is invalid."""
    serializer.is_valid(raise_exception=True)
    return cast(dict[str, Any], serializer.validated_data)


class StrictQueryParamsMixin:
    """Reject query parameters that the view does not know with 400.

    `allowed_query_params` names those that the view itself reads.
    """

    allowed_query_params: tuple[str, ...] = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the query parameters last, so that 401, 403, 405 and 429 come first."""
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        method = str(request.method).lower()
        if method in self.http_method_names and hasattr(self, method):  # type: ignore[attr-defined]
            check_query_parameters(request, self)  # type: ignore[arg-type]


class APIViewMixin(StrictQueryParamsMixin):
    """Common behavior of all views: what is checked before a handler runs, and what wraps it.

    `cached_actions` and `cached_actions_anonymous` map cached actions to their cache versions, see
    `with_response_cache`. `replayable_after_access_loss` names the actions after which the caller loses access (such as
    leaving a club): a retry with the same `Idempotency-Key` gets the stored response, not 403 or 404.
    """

    cached_actions: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    cached_actions_anonymous: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    replayable_after_access_loss: ClassVar[tuple[str, ...]] = ()

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Handle a request as DRF does, with the handler that `get_handler` returns."""
        view: Any = self
        view.args, view.kwargs = args, kwargs
        view.headers = view.default_response_headers
        view.request = request = view.initialize_request(request, *args, **kwargs)
        try:
            view.initial(request, *args, **kwargs)
            response = self.get_handler(request)(request, *args, **kwargs)
        except Exception as exc:  # as in DRF's own dispatch: the exception handler logs and answers all
            response = view.handle_exception(exc)
        view.response = view.finalize_response(request, response, *args, **kwargs)
        return cast(HttpResponseBase, view.response)

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        """Return DRF's request; its path has the trailing slash, so that links and idempotency keys are the same."""
        if request.resolver_match and request.resolver_match.route.endswith("/") and not request.path.endswith("/"):
            request.path, request.path_info = f"{request.path}/", f"{request.path_info}/"
        return cast(Request, super().initialize_request(request, *args, **kwargs))  # type: ignore[misc]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Run DRF's checks, but let a retry pass that was rejected only because its first call succeeded."""
        idempotency.preserve_body(request)
        try:
            super().initial(request, *args, **kwargs)
        except (PermissionDeniedProblem, Http404):
            if getattr(
                self, "action", None
            ) not in self.replayable_after_access_loss or not idempotency.has_stored_response(request):
                raise
            # The throttles come after the permissions, which have raised.
            self.check_throttles(request)  # type: ignore[attr-defined]

    def get_handler(self, request: Request) -> Callable[..., Any]:
        """Return the method that handles the request, wrapped in what the view and the request's headers ask for."""
        view: Any = self
        method = str(request.method).lower()
        handler: Callable[..., Any] | None = getattr(self, method, None) if method in view.http_method_names else None
        if handler is None:
            return cast(Callable[..., Any], view.http_method_not_allowed)
        handler = with_if_match(handler, request, view)
        handler = with_response_cache(handler, request, view)
        return with_idempotency_key(handler, request)

    def perform_authentication(self, request: Request) -> None:
        """Store the caller's id for the access log, also of requests that are rejected later."""
        super().perform_authentication(request)  # type: ignore[misc]
        request._request.caller_id = request.user.pk if request.user else None  # type: ignore[attr-defined]

    def get_authenticate_header(self, request: Request) -> str:
        """Return the `WWW-Authenticate` header of a 401, also for views without authentication classes such as login.

        Without it DRF would turn 401 into 403.
        """
        return "Bearer"


class APIView(APIViewMixin, BaseAPIView):
    """A view that is not about a model instance."""


class GenericAPIView(WriteResponseMixin, APIViewMixin, IfMatchMixin, generics.GenericAPIView):  # type: ignore[type-arg]
    """A view of one object or of one list. A list view that is not a viewset sets `is_list = True`."""


class ActionView(GenericAPIView):
    """A POST whose body is validated by `serializer_class` and passed to `perform`."""

    responds_with_object = False

    def post(self, request: Request) -> Response:
        return self.perform(request, **validate(self.get_serializer(data=request.data)))

    def perform(self, request: Request, **data: Any) -> Response:
        """Do what the view is for, with the validated data."""
        raise NotImplementedError


class GenericViewSet(WriteResponseMixin, APIViewMixin, IfMatchMixin, viewsets.GenericViewSet):  # type: ignore[type-arg]
    """The base of viewsets; DRF's mixins add the actions.

    `ordering_fields` maps the values of `?ordering=` to fields, see `core.api.pagination`.
    """

    lookup_value_converter = "int"
