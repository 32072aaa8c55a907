"""Views of users, blocks and the current account, below `users/`."""

from typing import Any

from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, mixins, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from accounts.authentication import current_user
from accounts.blocks import Block, BlockQuerySet
from accounts.deletion import close_account
from accounts.events import emit
from accounts.export import DataExportSerializer, build_export
from accounts.filters import UserFilter
from accounts.models import AVATAR_FOLDER, User
from accounts.serializers import (
    AccountDeletionSerializer,
    BlockSerializer,
    CurrentUserSerializer,
    UserListSerializer,
    UserProfileSerializer,
)
from accounts.tokens import InvalidToken
from accounts.views.auth import PasswordActionThrottle
from core.api.pagination import SearchPagination
from core.api.response_cache import JSON
from core.api.responses import NO_CONTENT
from core.api.views import APIView, GenericAPIView, GenericViewSet, validate
from core.images.processing import ImageSpec
from core.images.views import TOO_LARGE, ImageUploadSerializer, ImageUploadView


def get_current_account(request: Request) -> User:
    """Return the authenticated user, reloaded from the database. Raises InvalidToken if it has been deleted."""
    user = User.objects.filter(pk=request.user.pk).first()
    if user is None:
        raise InvalidToken
    return user


@extend_schema_view(
    get=extend_schema(summary="Get the current account"),
    patch=extend_schema(summary="Update the current account", description="Fields that are not sent are unchanged."),
)
class CurrentUserView(generics.RetrieveUpdateAPIView, GenericAPIView):  # type: ignore[type-arg]
    """The account of the authenticated user."""

    serializer_class = CurrentUserSerializer
    http_method_names = ["get", "head", "options", "patch", "delete"]

    def get_unlocked_object(self) -> User:
        return get_current_account(self.request)

    def get_throttles(self) -> list[BaseThrottle]:
        # Deletion checks the password, so it counts as a sign-in attempt.
        return [*super().get_throttles(), *([PasswordActionThrottle()] if self.request.method == "DELETE" else [])]

    @extend_schema(request=AccountDeletionSerializer, responses={204: NO_CONTENT})
    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete the current account permanently.

        Requires `password`. With `reviews`, choose whether to keep the reviews without an author (`anonymise`) or to
        delete them (`delete`). Owned clubs are transferred to other members.
        """
        user = self.get_object()
        self.require_current()
        close_account(user, **validate(AccountDeletionSerializer(data=request.data)))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ExportView(APIView):
    """Export all data about the current account."""

    @extend_schema(summary="Export all data about the current account", responses=DataExportSerializer)
    def get(self, request: Request) -> HttpResponseBase:
        """Return one JSON document with a section per kind of data. Secrets are listed without their values."""
        user = get_current_account(request)
        response = self._conditional_response(request, user)
        if response is not None:
            return response
        # Recorded before the export is built, so that the document contains its own event.
        if request.method == "GET":
            emit("account.exported", user.pk)
        file, length, digest = build_export(user)
        etag, filename = f'"{digest}"', f"bookbridge-{user.username}.json"
        headers = {"Content-Length": str(length), "ETag": etag}
        return FileResponse(file, as_attachment=True, filename=filename, content_type=JSON, headers=headers)

    def _conditional_response(self, request: Request, user: User) -> HttpResponseBase | None:
        """Return a 304 or 412 response if the client's ETag decides the request, else None."""
        if "If-None-Match" not in request.headers:
            return None
        file, _length, digest = build_export(user)
        file.close()
        etag = f'"{digest}"'
        response = get_conditional_response(request._request, etag=etag)
        if response is not None:
            response["ETag"] = etag
        return response


@extend_schema_view(
    put=extend_schema(
        summary="Upload an avatar", request=ImageUploadSerializer, responses={200: CurrentUserSerializer, **TOO_LARGE}
    ),
    delete=extend_schema(summary="Delete the avatar"),
)
class AvatarView(ImageUploadView):
    """The avatar of the current account, cropped to a centered square of at most 1024 pixels."""

    serializer_class = CurrentUserSerializer
    upload_folder, image_spec = AVATAR_FOLDER, ImageSpec(square=True)

    def get_unlocked_object(self) -> User:
        return get_current_account(self.request)

    def set_image(self, obj: User, name: str) -> None:
        obj.set_avatar(name)


@extend_schema_view(
    list=extend_schema(summary="List or search users"), retrieve=extend_schema(summary="Get a user's profile")
)
class UserViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """The active users that the caller may see; users who blocked each other are hidden."""

    serializer_class = UserListSerializer
    filterset_class = UserFilter
    pagination_class = SearchPagination
    queryset = User.objects.none()
    lookup_field = "username"
    lookup_value_converter = "str"
    ordering_fields = {"username": ("username_key",)}

    def get_unsearched_queryset(self) -> Any:
        return User.objects.all()

    def get_queryset(self) -> Any:
        return User.objects.visible_to(self.request.user)

    def get_serializer_class(self) -> Any:
        return UserProfileSerializer if self.action == "retrieve" else UserListSerializer

    def get_unlocked_object(self) -> User:
        user: User = get_object_or_404(self.get_queryset().with_username(self.kwargs["username"]))
        return user


class BlockView(APIView):
    """Block a user."""

    @extend_schema(summary="Block a user", request=None, responses={204: NO_CONTENT})
    def put(self, request: Request, username: str) -> Response:
        """Hide both users from each other in every list, thread and search. The other user is not notified."""
        Block.objects.block(on=self._get_target_user(username), by=current_user(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Unblock a user", responses={204: NO_CONTENT})
    def delete(self, request: Request, username: str) -> Response:
        """Remove the block. Idempotent."""
        Block.objects.unblock(on=self._get_target_user(username), by=current_user(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _get_target_user(self, username: str) -> User:
        # Users who have blocked the caller are not found, as everywhere else.
        user: User = get_object_or_404(User.objects.visible_or_blocked_by(self.request.user).with_username(username))
        return user


@extend_schema_view(list=extend_schema(summary="List blocked users, newest first"))
class BlockListView(mixins.ListModelMixin, GenericViewSet):
    """The users blocked by the caller."""

    serializer_class = BlockSerializer
    queryset = Block.objects.none()

    def get_queryset(self) -> BlockQuerySet:
        return Block.objects.placed_by(self.request.user).select_related("blocked")
