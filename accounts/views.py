"""Views of users, blocks and the current account, below `users/`."""

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
    """Return the authenticated user, reloaded from the database. Raises InvalidToken if it has been deleted."""
    user = User.objects.filter(pk=request.user.pk).first()
    if user is None:
        raise InvalidToken
    return user


@extend_schema_view(
    get=extend_schema(summary="Get the current account"),
    patch=extend_schema(summary="Update the current account", description="Fields that are not sent are unchanged."),
)
class MeView(generics.RetrieveUpdateAPIView, GenericAPIView):  # type: ignore[type-arg]
    """The account of the authenticated user."""

    serializer_class = OwnUserSerializer
    http_method_names = ["get", "head", "options", "patch", "delete"]

    def find_object(self) -> User:
        return own_account(self.request)

    def get_throttles(self) -> list[BaseThrottle]:
        # Deletion checks the password, so it counts as a sign-in attempt.
        return [*super().get_throttles(), *([AccountThrottle()] if self.request.method == "DELETE" else [])]

    @extend_schema(request=DepartureSerializer, responses={204: NOTHING})
    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete the current account permanently.

        Requires `password`. With `reviews`, choose whether to keep the reviews without an author (`anonymise`) or to
        delete them (`delete`). Owned clubs are transferred to other members.
        """
        user = self.get_object()
        close_account(user, **checked(DepartureSerializer(data=request.data)))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ExportView(APIView):
    """Export all data about the current account."""

    @extend_schema(summary="Export all data about the current account", responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> HttpResponseBase:
        """Return one JSON document with a section per kind of data. Secrets are listed without their values."""
        user = own_account(request)
        unchanged = self._unchanged(request, user)
        if unchanged is not None:
            return unchanged
        # Recorded before the export is built, so that the document contains its own event.
        if request.method == "GET":
            happened("account.exported", user.pk)
        file, length, digest = document(user)
        etag, filename = f'"{digest}"', f"bookbridge-{user.username}.json"
        headers = {"Content-Length": str(length), "ETag": etag}
        return FileResponse(file, as_attachment=True, filename=filename, content_type=JSON, headers=headers)

    def _unchanged(self, request: Request, user: User) -> HttpResponseBase | None:
        """Return a 304 or 412 response if the client's ETag settles the request, else None."""
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
        summary="Upload an avatar", request=PictureSerializer, responses={200: OwnUserSerializer, **TOO_LARGE}
    ),
    delete=extend_schema(summary="Delete the avatar"),
)
class AvatarView(PictureView):
    """The avatar of the current account, cropped to a centered square of at most 512 pixels."""

    serializer_class = OwnUserSerializer
    folder, shape = AVATARS, Shape(512, square=True)

    def find_object(self) -> User:
        return own_account(self.request)

    def change(self, thing: User, name: str) -> None:
        thing.change_avatar(name)


@extend_schema_view(
    list=extend_schema(summary="List or search users"), retrieve=extend_schema(summary="Get a user's profile")
)
class UserViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """The active users that the caller may see; users who blocked each other are hidden."""

    serializer_class = ProfileListSerializer
    filterset_class = UserFilter
    pagination_class = SearchPagination
    queryset = User.objects.none()
    lookup_field = "username"
    lookup_value_converter = "str"
    orderings = {"username": ("username_key",)}

    def unsearched(self) -> Any:
        return User.objects.all()

    def get_queryset(self) -> Any:
        return User.objects.visible_to(self.request.user)

    def get_serializer_class(self) -> Any:
        return ProfileSerializer if self.action == "retrieve" else ProfileListSerializer

    def find_object(self) -> User:
        user: User = get_object_or_404(self.get_queryset().named(self.kwargs["username"]))
        return user


class BlockView(APIView):
    """Block a user."""

    @extend_schema(summary="Block a user", request=None, responses={204: NOTHING})
    def put(self, request: Request, username: str) -> Response:
        """Hide both users from each other in every list, thread and search. The other user is not notified."""
        Block.objects.place(on=self._other(username), by=caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Unblock a user", responses={204: NOTHING})
    def delete(self, request: Request, username: str) -> Response:
        """Remove the block. Idempotent."""
        Block.objects.lift(on=self._other(username), by=caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _other(self, username: str) -> User:
        # Users who have blocked the caller are not found, as everywhere else.
        user: User = get_object_or_404(User.objects.known_to(self.request.user).named(username))
        return user


@extend_schema_view(list=extend_schema(summary="List blocked users, newest first"))
class BlockListView(mixins.ListModelMixin, GenericViewSet):
    """The users blocked by the caller."""

    serializer_class = BlockSerializer
    queryset = Block.objects.none()

    def get_queryset(self) -> BlockQuerySet:
        return Block.objects.of(self.request.user).select_related("blocked")
