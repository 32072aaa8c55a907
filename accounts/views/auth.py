"""Views for registration, sign-in, sessions, passwords and e-mail addresses, below `auth/`."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from accounts import services, tokens
from accounts.authentication import current_user
from accounts.models import AuthSession
from accounts.serializers import (
    CurrentUserSerializer,
    EmailChangeSerializer,
    EmailSerializer,
    LoginResponseSerializer,
    LoginSerializer,
    NewTokensSerializer,
    PasswordChangeSerializer,
    PasswordResetConfirmSerializer,
    RefreshSerializer,
    RegisterResponseSerializer,
    RegisterSerializer,
    SessionSerializer,
    TokenPairSerializer,
    TokenSerializer,
    validate_new_password,
)
from core.api.conditional import compute_etag
from core.api.exceptions import Conflict
from core.api.responses import NO_CONTENT, problem_schema
from core.api.schema import NEW_OBJECT_HEADERS
from core.api.throttling import LoginRateThrottle, RefreshRateThrottle, RegisterRateThrottle
from core.api.views import ActionView, APIView, GenericViewSet

INVALID_TOKEN = problem_schema(400, "`invalid_token`: unknown, used, superseded or expired.")


class PublicActionView(ActionView):
    """Public action. It ignores the Authorization header, so that an expired token does not matter."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]


class PasswordActionThrottle(LoginRateThrottle):
    """Applies the login rate to password and e-mail actions, per authenticated user."""

    def get_account(self, request: Request) -> str:
        """Return the key under which attempts are counted."""
        return f"user {request.user.pk}"


def _current_session(request: Request) -> AuthSession | None:
    """Return the session of the request's access token."""
    return request.auth if isinstance(request.auth, AuthSession) else None


def _device_name(request: Request, name: str) -> str:
    """Return the device name sent by the client, or its User-Agent."""
    agent = request.headers.get("User-Agent", "")
    return name or "".join(c for c in agent if c.isprintable())[:100].strip()


@extend_schema(
    summary="Create an account and sign in",
    description="With `invite`, the code of an invitation, the user joins its club at once.",
    parameters=NEW_OBJECT_HEADERS,
    responses={
        201: RegisterResponseSerializer,
        **problem_schema(400, "Invalid fields, or `invalid_invite`: no account was created."),
        **problem_schema(409, "`username_taken`, `club_full`: no account was created."),
    },
)
class RegisterView(PublicActionView):
    """Create an account and sign in."""

    serializer_class = RegisterSerializer
    throttle_classes = [RegisterRateThrottle]

    def perform(self, request: Request, **data: Any) -> Response:
        device, code = data.pop("device", ""), data.pop("invite", "")
        user, club = services.register_invited(code, **data) if code else (services.register(**data), None)
        pair = tokens.sign_in(user, device=_device_name(request, device))
        account_data = CurrentUserSerializer(user, context=self.get_serializer_context()).data
        headers = {"ETag": compute_etag(account_data, request), "Location": reverse("me", request=request)}
        data = {**account_data, **NewTokensSerializer(pair).data, "club": club}
        return Response(data, status=status.HTTP_201_CREATED, headers=headers)


@extend_schema(
    responses={
        200: LoginResponseSerializer,
        **problem_schema(401, "`invalid_credentials`: wrong username or password."),
        **problem_schema(
            403, "`account_suspended`, with `until`: the password is correct, but the account is suspended."
        ),
    }
)
class LoginView(PublicActionView):
    """Sign in with a username or a verified e-mail address."""

    serializer_class = LoginSerializer
    throttle_classes = [LoginRateThrottle]

    def perform(self, request: Request, **data: Any) -> Response:
        device = _device_name(request, data.get("device", ""))
        user, pair = services.sign_in(data["username"], data["password"], device=device)
        account_data = CurrentUserSerializer(user, context=self.get_serializer_context()).data
        return Response({**NewTokensSerializer(pair).data, "user": account_data})


@extend_schema(
    responses={
        200: TokenPairSerializer,
        **problem_schema(401, "`token_not_valid`, or `token_reused`, which revokes the session."),
    }
)
class RefreshView(PublicActionView):
    """Exchange a refresh token for a new token pair.

    If the response is lost, the same token gets the same pair for 10 minutes, until one of the new tokens is used.
    """

    throttle_classes = [RefreshRateThrottle]
    serializer_class = RefreshSerializer

    def perform(self, request: Request, **data: Any) -> Response:
        return Response(TokenPairSerializer(tokens.refresh(data["refresh"])).data)


@extend_schema(
    responses={
        200: OpenApiResponse(
            # Generators of typed clients support an object without properties only as a map.
            {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 0},
            description="The token is valid: an empty object.",
        ),
        **problem_schema(401, "`token_not_valid`, `account_suspended`."),
    }
)
class VerifyView(PublicActionView):
    """Check whether an access or refresh token is valid."""

    serializer_class = TokenSerializer

    def perform(self, request: Request, **data: Any) -> Response:
        tokens.verify(data["token"])
        return Response({})


@extend_schema(responses={204: NO_CONTENT, **problem_schema(401, "`token_not_valid`.")})
class LogoutView(PublicActionView):
    """Sign out: revoke the session of a refresh token."""

    throttle_classes = [RefreshRateThrottle]
    serializer_class = RefreshSerializer

    def perform(self, request: Request, **data: Any) -> Response:
        tokens.sign_out(data["refresh"])
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(
    list=extend_schema(summary="List active sessions"),
    destroy=extend_schema(
        summary="Revoke a session", description="The tokens of the session are rejected from the next request on."
    ),
)
class SessionViewSet(mixins.ListModelMixin, mixins.DestroyModelMixin, GenericViewSet):
    """The active sessions of the current account."""

    lookup_url_kwarg = "session_id"
    serializer_class = SessionSerializer
    queryset = AuthSession.objects.none()

    def get_queryset(self) -> Any:
        return AuthSession.objects.active().filter(user=self.request.user.pk)

    def perform_destroy(self, instance: AuthSession) -> None:
        # The row is not deleted, so that reuse of its tokens is detected.
        tokens.revoke_session(instance)

    @extend_schema(responses={204: NO_CONTENT})
    def revoke_others(self, request: Request) -> Response:
        """Revoke all other sessions."""
        tokens.revoke_other_sessions(current_user(request), keep=_current_session(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(responses={204: NO_CONTENT})
class PasswordChangeView(ActionView):
    """Change the password and revoke all other sessions."""

    serializer_class = PasswordChangeSerializer
    throttle_classes = [PasswordActionThrottle, *ActionView.throttle_classes]

    def perform(self, request: Request, **data: Any) -> Response:
        current, new = data["current_password"], data["new_password"]
        services.change_password(current_user(request), current=current, new=new, keep=_current_session(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class PasswordResetThrottle(LoginRateThrottle):
    """Applies the login rate to requests for e-mails, per address."""

    field = "email"


@extend_schema(responses={202: OpenApiResponse(description="Accepted, whether or not the address is known.")})
class PasswordResetView(PublicActionView):
    """Request a password reset link by e-mail."""

    serializer_class = EmailSerializer
    throttle_classes = [PasswordResetThrottle]

    def perform(self, request: Request, **data: Any) -> Response:
        services.request_password_reset(data["email"])
        return Response(status=status.HTTP_202_ACCEPTED)


@extend_schema(responses={204: NO_CONTENT, **INVALID_TOKEN})
class PasswordResetConfirmView(PublicActionView):
    """Set a new password with the token from the e-mail and revoke all sessions."""

    serializer_class = PasswordResetConfirmSerializer
    throttle_classes = [LoginRateThrottle]

    def perform(self, request: Request, **data: Any) -> Response:
        # Validate the password first, so that a weak one does not consume the token.
        validate_new_password(
            data["new_password"], services.get_user_for_reset_token(data["token"]), field="new_password"
        )
        services.reset_password(data["token"], data["new_password"])
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(
    request=None,
    responses={
        202: OpenApiResponse(description="The e-mail will be sent."),
        **problem_schema(409, "`nothing_to_verify`: no e-mail address is waiting for verification."),
    },
)
class EmailVerifyView(APIView):
    """Send the verification e-mail again."""

    throttle_classes = [PasswordActionThrottle, *APIView.throttle_classes]

    def post(self, request: Request) -> Response:
        """Send the verification e-mail again."""
        user = current_user(request)
        if not user.email or user.email_verified:
            text = _("No e-mail address is waiting for verification.")
            raise Conflict("nothing_to_verify", text, email=user.email)
        services.send_verification(user)
        return Response(status=status.HTTP_202_ACCEPTED)


@extend_schema(responses={202: OpenApiResponse(description="The change takes effect when it is confirmed.")})
class EmailChangeView(ActionView):
    """Request a change of the e-mail address."""

    serializer_class = EmailChangeSerializer
    throttle_classes = [PasswordActionThrottle, *ActionView.throttle_classes]

    def perform(self, request: Request, **data: Any) -> Response:
        services.request_email_change(current_user(request), data["email"], password=data["current_password"])
        return Response(status=status.HTTP_202_ACCEPTED)


@extend_schema(
    responses={
        204: NO_CONTENT,
        **INVALID_TOKEN,
        **problem_schema(409, "`email_taken`: another account has verified this address."),
    }
)
class EmailConfirmView(PublicActionView):
    """Confirm an e-mail address with the token from the e-mail."""

    serializer_class = TokenSerializer
    throttle_classes = [LoginRateThrottle]

    def perform(self, request: Request, **data: Any) -> Response:
        services.confirm_email(data["token"])
        return Response(status=status.HTTP_204_NO_CONTENT)


@csrf_exempt
@require_safe
@cache_control(public=True, max_age=3600)
def jwks(request: HttpRequest) -> HttpResponse:
    """Return the public keys that verify access tokens, as a JSON Web Key Set (RFC 7517)."""
    return JsonResponse({"keys": tokens.backend.jwks()})
