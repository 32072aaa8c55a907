"""Accounts over HTTP (api.md, section 1)."""

from typing import Any, cast

from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import generics, mixins, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.throttling import BaseThrottle

from accounts import services, tokens
from accounts.blocks import Block, BlockQuerySet
from accounts.departure import close_account
from accounts.export import document
from accounts.filters import UserFilter
from accounts.happenings import happened
from accounts.models import AVATARS, AuthSession, User
from accounts.serializers import (
    BlockSerializer,
    DepartureSerializer,
    EmailChangeSerializer,
    EmailSerializer,
    LoginSerializer,
    OwnUserSerializer,
    PairSerializer,
    PasswordChangeSerializer,
    PasswordResetSerializer,
    ProfileListSerializer,
    ProfileSerializer,
    RefreshSerializer,
    RegisteredSerializer,
    RegisterSerializer,
    SessionSerializer,
    SignedInSerializer,
    TokenSerializer,
    check_new_password,
)
from bookbridge.api.caching import JSON
from bookbridge.api.errors import Conflict
from bookbridge.api.images import Shape
from bookbridge.api.throttling import LoginThrottle, RegisterThrottle
from bookbridge.api.uploads import TOO_LARGE, PictureSerializer, PictureView
from bookbridge.api.views import APIView, GenericAPIView, GenericViewSet

NOTHING = OpenApiResponse(description="Done; no content.")


class FormView(GenericAPIView):
    """A POST that is checked by `serializer_class` and then done by `perform`."""

    def post(self, request: Request) -> Response:
        """Check the body, do it."""
        serializer: BaseSerializer[Any] = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return self.perform(request, **serializer.validated_data)

    def perform(self, request: Request, **data: Any) -> Response:
        """What the form is for."""
        raise NotImplementedError


class PublicFormView(FormView):
    """A form that anyone may send; a stale Authorization header does not stand in its way."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    def get_authenticate_header(self, request: Request) -> str:
        """What WWW-Authenticate says where this form itself answers 401."""
        return "Bearer"


class AccountThrottle(LoginThrottle):
    """The sign-in rate for what a signed-in reader does with their password or address, whatever the body says."""

    def account(self, request: Request) -> str:
        """The caller."""
        return f"user {request.user.pk}"


def caller(request: Request) -> User:
    """The signed-in reader, where the permissions have made sure that there is one."""
    return cast(User, request.user)


def _device(request: Request, given: str) -> str:
    """The name the client gave its device, else what its User-Agent says."""
    agent = request.headers.get("User-Agent", "")
    return given or "".join(c for c in agent if c.isprintable())[:100].strip()


@extend_schema(responses={201: RegisteredSerializer})
class RegisterView(PublicFormView):
    """Open an account and sign in."""

    serializer_class = RegisterSerializer
    throttle_classes = [RegisterThrottle]

    def perform(self, request: Request, **data: Any) -> Response:
        """The new account with its first pair of tokens."""
        device = data.pop("device", "")
        user = services.register(**data)
        pair = tokens.sign_in(user, device=_device(request, device))
        own = OwnUserSerializer(user, context=self.get_serializer_context()).data
        return Response({**own, **_tokens(pair)}, status=status.HTTP_201_CREATED)


@extend_schema(responses={200: SignedInSerializer})
class LoginView(PublicFormView):
    """Sign in with a username or a verified e-mail address."""

    serializer_class = LoginSerializer
    throttle_classes = [LoginThrottle]

    def perform(self, request: Request, **data: Any) -> Response:
        """A pair of tokens and the account."""
        device = _device(request, data.get("device", ""))
        user, pair = services.sign_in(data["username"], data["password"], device=device)
        own = OwnUserSerializer(user, context=self.get_serializer_context()).data
        return Response({**_tokens(pair), "user": own})


def _tokens(pair: tokens.Pair) -> dict[str, str]:
    return {"access": pair.access, "refresh": pair.refresh, "access_token": pair.access}


@extend_schema(responses={200: PairSerializer})
class RefreshView(PublicFormView):
    """Exchange a refresh token for the next pair."""

    serializer_class = RefreshSerializer

    def perform(self, request: Request, **data: Any) -> Response:
        """The next pair."""
        pair = tokens.refresh(data["refresh"])
        return Response({"access": pair.access, "refresh": pair.refresh})


@extend_schema(responses={200: OpenApiResponse(description="It would be accepted now.")})
class VerifyView(PublicFormView):
    """Whether a token, of either kind, would be accepted now."""

    serializer_class = TokenSerializer

    def perform(self, request: Request, **data: Any) -> Response:
        """Nothing, or 401."""
        tokens.verify(data["token"])
        return Response({})


@extend_schema(responses={204: NOTHING})
class LogoutView(PublicFormView):
    """End the sign-in of a refresh token."""

    serializer_class = RefreshSerializer

    def perform(self, request: Request, **data: Any) -> Response:
        """Its tokens are refused from the next request on."""
        tokens.sign_out(data["refresh"])
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(destroy=extend_schema(summary="End a sign-in"))
class SessionViewSet(mixins.ListModelMixin, mixins.DestroyModelMixin, GenericViewSet):
    """The sign-ins of one's own account."""

    serializer_class = SessionSerializer
    queryset = AuthSession.objects.none()

    def get_queryset(self) -> Any:
        """One's own that are not over."""
        return AuthSession.objects.live().filter(user=self.request.user.pk)

    def perform_destroy(self, instance: AuthSession) -> None:
        """End it; the row stays, to recognise its tokens."""
        tokens.end(instance)

    @extend_schema(operation_id="auth_sessions_destroy_others", responses={204: NOTHING})
    def destroy_others(self, request: Request) -> Response:
        """End all sign-ins but this one."""
        tokens.end_others(caller(request), keep=request.auth if isinstance(request.auth, AuthSession) else None)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(responses={204: NOTHING})
class PasswordChangeView(FormView):
    """Set a new password; every other sign-in ends."""

    serializer_class = PasswordChangeSerializer
    throttle_classes = [AccountThrottle, *FormView.throttle_classes]

    def perform(self, request: Request, **data: Any) -> Response:
        """The current sign-in stays."""
        keep = request.auth if isinstance(request.auth, AuthSession) else None
        services.change_password(caller(request), current=data["current_password"], new=data["new_password"], keep=keep)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ResetThrottle(LoginThrottle):
    """The sign-in rate for whoever asks for mails, counted for the address asked for."""

    field = "email"


@extend_schema(responses={202: OpenApiResponse(description="Whether or not the address is known.")})
class PasswordResetView(PublicFormView):
    """Ask for a link that sets a new password."""

    serializer_class = EmailSerializer
    throttle_classes = [ResetThrottle]

    def perform(self, request: Request, **data: Any) -> Response:
        """Always 202, and before anything is looked up, so that time does not tell either."""
        services.request_password_reset(data["email"])
        return Response(status=status.HTTP_202_ACCEPTED)


@extend_schema(responses={204: NOTHING})
class PasswordResetConfirmView(PublicFormView):
    """Set a new password by a mailed token; every sign-in ends."""

    serializer_class = PasswordResetSerializer
    throttle_classes = [LoginThrottle]

    def perform(self, request: Request, **data: Any) -> Response:
        """The password is checked first, so that a weak one does not use up the token."""
        check_new_password(data["new_password"], services.user_of_reset(data["token"]), field="new_password")
        services.reset_password(data["token"], data["new_password"])
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(request=None, responses={202: OpenApiResponse(description="A mail is on its way.")})
class EmailVerifyView(APIView):
    """Send the verification mail again."""

    throttle_classes = [AccountThrottle, *APIView.throttle_classes]

    def post(self, request: Request) -> Response:
        """Send the verification mail again.

        409 `nothing_to_verify` where no address waits to be verified.
        """
        user = caller(request)
        if not user.email or user.email_verified:
            raise Conflict("nothing_to_verify", _("There is no address that waits to be verified."))
        services.send_verification(user)
        return Response(status=status.HTTP_202_ACCEPTED)


@extend_schema(responses={202: OpenApiResponse(description="Takes effect when confirmed.")})
class EmailChangeView(FormView):
    """Ask for another e-mail address."""

    serializer_class = EmailChangeSerializer
    throttle_classes = [AccountThrottle, *FormView.throttle_classes]

    def perform(self, request: Request, **data: Any) -> Response:
        """The same answer whether or not somebody has the address."""
        services.request_email_change(caller(request), data["email"], password=data["current_password"])
        return Response(status=status.HTTP_202_ACCEPTED)


@extend_schema(responses={204: NOTHING})
class EmailConfirmView(PublicFormView):
    """Confirm an e-mail address by a mailed token."""

    serializer_class = TokenSerializer
    throttle_classes = [LoginThrottle]

    def perform(self, request: Request, **data: Any) -> Response:
        """The address is the reader's from here on."""
        services.confirm_email(data["token"])
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(patch=extend_schema(summary="Change one's own account"))
class MeView(generics.RetrieveUpdateAPIView, GenericAPIView):  # type: ignore[type-arg]
    """One's own account."""

    serializer_class = OwnUserSerializer
    http_method_names = ["get", "head", "options", "patch", "delete"]

    def find_object(self) -> User:
        """The caller, as the database has them now; 401 where the account went a moment ago."""
        user = User.objects.filter(pk=self.request.user.pk).first()
        if user is None:
            raise tokens.InvalidToken
        return user

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
        serializer = DepartureSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        close_account(user, **serializer.validated_data)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ExportView(APIView):
    """Everything that is held about the caller."""

    @extend_schema(summary="Everything held about the caller, one JSON document", responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> HttpResponseBase:
        """A section for each kind of thing; secrets are named, not told.

        It tells of its own making too: so that is noted first, and only where it is handed out.
        """
        user = MeView.find_object(cast(MeView, self))
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
        return get_conditional_response(request._request, etag=f'"{digest}"')


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
        return MeView.find_object(cast(MeView, self))

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
    queryset = User.objects.none()
    lookup_field = "username"
    lookup_value_converter = "str"
    orderings = {"username": ("username_key",)}

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


@require_safe
@cache_control(public=True, max_age=3600)
def jwks(request: HttpRequest) -> HttpResponse:
    """The public keys that verify access tokens (RFC 7517)."""
    return JsonResponse({"keys": [tokens.backend.jwk()]})
