"""What every view of the API has in common. An app's views derive from these and override nothing above DRF's hooks."""

from typing import Any, cast

from rest_framework import generics, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView as BaseAPIView

from bookbridge.api.caching import KeptAnswers
from bookbridge.api.conditional import ConditionalWrites
from bookbridge.api.filters import check_query_parameters
from bookbridge.api.idempotency import IdempotentPosts


def checked(serializer: BaseSerializer[Any]) -> dict[str, Any]:
    """What was sent, once it is found to be right."""
    serializer.is_valid(raise_exception=True)
    return cast(dict[str, Any], serializer.validated_data)


class StrictParameters:
    """View mixin: query parameters the view does not know are 400. `query_parameters` names those it reads itself."""

    query_parameters: tuple[str, ...] = ()

    def perform_authentication(self, request: Request) -> None:
        """Leave the caller's id for the access log, also of calls that are refused from here on."""
        super().perform_authentication(request)  # type: ignore[misc]
        request._request.caller_id = request.user.pk if request.user else None  # type: ignore[attr-defined]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After the sign-in and the permissions, so that 401 and 403 come first."""
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        check_query_parameters(request, self)  # type: ignore[arg-type]


class SignInAsked:
    """View mixin: each 401 says `WWW-Authenticate: Bearer`, also of a view that takes no Authorization (login).

    DRF would turn it into 403 where a view has no authentication classes.
    """

    def get_authenticate_header(self, request: Request) -> str:
        """What WWW-Authenticate says."""
        return "Bearer"


class APIView(SignInAsked, IdempotentPosts, KeptAnswers, StrictParameters, BaseAPIView):
    """A view of one thing that is no row."""


class GenericAPIView(
    SignInAsked,
    IdempotentPosts,
    KeptAnswers,
    StrictParameters,
    ConditionalWrites,
    generics.GenericAPIView,  # type: ignore[type-arg]
):
    """A view of one row or list. A list view that is no viewset says `is_list = True`."""


class FormView(GenericAPIView):
    """A POST that is checked by `serializer_class` and then done by `perform`."""

    def post(self, request: Request) -> Response:
        """Check the body, do it."""
        return self.perform(request, **checked(self.get_serializer(data=request.data)))

    def perform(self, request: Request, **data: Any) -> Response:
        """What the form is for."""
        raise NotImplementedError


class GenericViewSet(
    SignInAsked,
    IdempotentPosts,
    KeptAnswers,
    StrictParameters,
    ConditionalWrites,
    viewsets.GenericViewSet,  # type: ignore[type-arg]
):
    """The base of viewsets; DRF's mixins add what each offers.

    `orderings` maps the words of `?ordering=` to fields (`bookbridge.api.pagination`).
    """

    lookup_value_converter = "int"
