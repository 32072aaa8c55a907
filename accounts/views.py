"""Readers over HTTP (api.md, section 1): everything below `users/`."""

from typing import Any

from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, mixins, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from accounts.authentication import caller
from accounts.blocks import Block, BlockQuerySet
from accounts.departure import close_account
from accounts.export import document
from accounts.filters import UserFilter
from accounts.happenings import happened
from accounts.models import AVATARS, User
from accounts.serializers import (
    BlockSerializer,
    DepartureSerializer,
    OwnUserSerializer,
    ProfileListSerializer,
    ProfileSerializer,
)
from accounts.sign_in_views import AccountThrottle
from accounts.tokens import InvalidToken
from bookbridge.api.caching import JSON
from bookbridge.api.images import Shape
from bookbridge.api.pagination import SearchPagination
from bookbridge.api.responses import NOTHING
from bookbridge.api.uploads import TOO_LARGE, PictureSerializer, PictureView
from bookbridge.api.views import APIView, GenericAPIView, GenericViewSet, checked


def own_account(request: Request) -> User:
    """The caller, as the database has them now; 401 where the account went a moment ago."""
    user = User.objects.filter(pk=request.user.pk).first()
    if user is None:
        raise InvalidToken
    return user


@extend_schema_view(patch=extend_schema(summary="Change one's own account"))
class MeView(generics.RetrieveUpdateAPIView, GenericAPIView):  # type: ignore[type-arg]
    """One's own account."""

    serializer_class = OwnUserSerializer
    http_method_names = ["get", "head", "options", "patch", "delete"]

    def find_object(self) -> User:
        """The caller, as the database has them now."""
        return own_account(self.request)

    def get_throttles(self) -> list[BaseThrottle]:
        """Closing the account tries a password, so it is counted as a sign-in is."""
        return [*super().get_throttles(), *([AccountThrottle()] if self.request.method == "DELETE" else [])]

    @extend_schema(request=DepartureSerializer, responses={204: NOTHING})
    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Close the account for good.

        The body has `password`, and `reviews`: `anonymise` (they stay, without their author) or `delete`. Clubs pass to
        others.
        """
        user = self.get_object()
        close_account(user, **checked(DepartureSerializer(data=request.data)))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ExportView(APIView):
    """Everything that is held about the caller."""

    @extend_schema(summary="Everything held about the caller, one JSON document", responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> HttpResponseBase:
        """A section for each kind of thing; secrets are named, not told.

        It tells of its own making too: so that is noted first, and only where it is handed out.
        """
        user = own_account(request)
        unchanged = self._unchanged(request, user)
        if unchanged is not None:
            return unchanged
        if request.method == "GET":
            happened("account.exported", user.pk)
        file, length, digest = document(user)
        etag, filename = f'"{digest}"', f"bookbridge-{user.username}.json"
        headers = {"Content-Length": str(length), "ETag": etag}
        return FileResponse(file, as_attachment=True, filename=filename, content_type=JSON, headers=headers)

    def _unchanged(self, request: Request, user: User) -> HttpResponseBase | None:
        """The answer where the caller has the document as it would be now."""
        if "If-None-Match" not in request.headers:
            return None
        file, _length, digest = document(user)
        file.close()
        etag = f'"{digest}"'
        response = get_conditional_response(request._request, etag=etag)
        if response is not None:
            response["ETag"] = etag
        return response


@extend_schema_view(
    put=extend_schema(
        summary="Show a picture of oneself", request=PictureSerializer, responses={200: OwnUserSerializer, **TOO_LARGE}
    ),
    delete=extend_schema(summary="Show no picture of oneself"),
)
class AvatarView(PictureView):
    """One's own picture: the middle of it, a square of at most 512 pixels."""

    serializer_class = OwnUserSerializer
    folder, shape = AVATARS, Shape(512, square=True)

    def find_object(self) -> User:
        """The caller, as the database has them now."""
        return own_account(self.request)

    def change(self, thing: User, name: str) -> None:
        """As the model says."""
        thing.change_avatar(name)


@extend_schema_view(
    list=extend_schema(summary="Readers, by name"), retrieve=extend_schema(summary="A reader's profile")
)
class UserViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Other readers."""

    serializer_class = ProfileListSerializer
    filterset_class = UserFilter
    pagination_class = SearchPagination
    queryset = User.objects.none()
    lookup_field = "username"
    lookup_value_converter = "str"
    orderings = {"username": ("username_key",)}

    def unsearched(self) -> Any:
        """All accounts."""
        return User.objects.all()

    def get_queryset(self) -> Any:
        """Those the caller may see."""
        return User.objects.visible_to(self.request.user)

    def get_serializer_class(self) -> Any:
        """One profile says more than a row of a list."""
        return ProfileSerializer if self.action == "retrieve" else ProfileListSerializer

    def find_object(self) -> User:
        """By name, in any case."""
        user: User = get_object_or_404(self.get_queryset().named(self.kwargs["username"]))
        return user


class BlockView(APIView):
    """A block between the caller and another reader."""

    @extend_schema(summary="Block a reader", request=None, responses={204: NOTHING})
    def put(self, request: Request, username: str) -> Response:
        """Hide both from each other, in every list, thread and search; the other is not told."""
        Block.objects.place(on=self._other(username), by=caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Block a reader no longer", responses={204: NOTHING})
    def delete(self, request: Request, username: str) -> Response:
        """Nothing happens where the caller has not blocked them."""
        Block.objects.lift(on=self._other(username), by=caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _other(self, username: str) -> User:
        """By name, in any case. Somebody who has blocked the caller is not there, as everywhere."""
        user: User = get_object_or_404(User.objects.known_to(self.request.user).named(username))
        return user


@extend_schema_view(list=extend_schema(summary="Whom the caller has blocked, the last first"))
class BlockListView(mixins.ListModelMixin, GenericViewSet):
    """The caller's own blocks."""

    serializer_class = BlockSerializer
    queryset = Block.objects.none()

    def get_queryset(self) -> BlockQuerySet:
        """One's own."""
        return Block.objects.of(self.request.user).select_related("blocked")
