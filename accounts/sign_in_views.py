"""Sign-in, sessions, passwords and addresses over HTTP (api.md, section 1): everything below `auth/`."""

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

from accounts import services, tokens
from accounts.authentication import caller
from accounts.models import AuthSession
from accounts.serializers import (
    EmailChangeSerializer,
    EmailSerializer,
    LoginSerializer,
    OwnUserSerializer,
    PairSerializer,
    PasswordChangeSerializer,
    PasswordResetSerializer,
    RefreshSerializer,
    RegisteredSerializer,
    RegisterSerializer,
    SessionSerializer,
    SignedInSerializer,
    TokenSerializer,
    check_new_password,
)
from bookbridge.api.errors import Conflict
from bookbridge.api.responses import NOTHING, problem
from bookbridge.api.throttling import LoginThrottle, RegisterThrottle
from bookbridge.api.views import APIView, FormView, GenericViewSet

INVALID_TOKEN = problem(400, "`invalid_token`: spent, too old, not the newest, or never given.")


class PublicFormView(FormView):
    """A form that anyone may send; a stale Authorization header does not stand in its way."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]


class AccountThrottle(LoginThrottle):
    """The sign-in rate for what a signed-in reader does with their password or address, whatever the body says."""

    def account(self, request: Request) -> str:
        """The caller."""
        return f"user {request.user.pk}"


def _own_sign_in(request: Request) -> AuthSession | None:
    """The sign-in whose token the call carries."""
    return request.auth if isinstance(request.auth, AuthSession) else None


def _device(request: Request, given: str) -> str:
    """The name the client gave its device, else what its User-Agent says."""
    agent = request.headers.get("User-Agent", "")
    return given or "".join(c for c in agent if c.isprintable())[:100].strip()


@extend_schema(responses={201: RegisteredSerializer, **problem(409, "`username_taken`.")})
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


@extend_schema(
    responses={
        200: SignedInSerializer,
        **problem(401, "`invalid_credentials`, whatever is wrong."),
        **problem(403, "`account_suspended`, with `until`: the password is right."),
    }
)
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


@extend_schema(responses={200: PairSerializer, **problem(401, "`token_not_valid`; `token_reused` ends the sign-in.")})
class RefreshView(PublicFormView):
    """Exchange a refresh token for the next pair."""

    serializer_class = RefreshSerializer

    def perform(self, request: Request, **data: Any) -> Response:
        """The next pair."""
        pair = tokens.refresh(data["refresh"])
        return Response({"access": pair.access, "refresh": pair.refresh})


@extend_schema(
    responses={
        200: OpenApiResponse({"type": "object"}, description="It would be accepted now: an empty object."),
        **problem(401, "`token_not_valid`, `account_suspended`."),
    }
)
class VerifyView(PublicFormView):
    """Whether a token, of either kind, would be accepted now."""

    serializer_class = TokenSerializer

    def perform(self, request: Request, **data: Any) -> Response:
        """Nothing, or 401."""
        tokens.verify(data["token"])
        return Response({})


@extend_schema(responses={204: NOTHING, **problem(401, "`token_not_valid`.")})
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

    lookup_url_kwarg = "session_id"
    serializer_class = SessionSerializer
    queryset = AuthSession.objects.none()

    def get_queryset(self) -> Any:
        """One's own that are not over."""
        return AuthSession.objects.live().filter(user=self.request.user.pk)

    def perform_destroy(self, instance: AuthSession) -> None:
        """End it; the row stays, to recognise its tokens."""
        tokens.end(instance)

    @extend_schema(responses={204: NOTHING})
    def destroy_others(self, request: Request) -> Response:
        """End all sign-ins but this one."""
        tokens.end_others(caller(request), keep=_own_sign_in(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(responses={204: NOTHING})
class PasswordChangeView(FormView):
    """Set a new password; every other sign-in ends."""

    serializer_class = PasswordChangeSerializer
    throttle_classes = [AccountThrottle, *FormView.throttle_classes]

    def perform(self, request: Request, **data: Any) -> Response:
        """The current sign-in stays."""
        current, new = data["current_password"], data["new_password"]
        services.change_password(caller(request), current=current, new=new, keep=_own_sign_in(request))
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


@extend_schema(responses={204: NOTHING, **INVALID_TOKEN})
class PasswordResetConfirmView(PublicFormView):
    """Set a new password by a mailed token; every sign-in ends."""

    serializer_class = PasswordResetSerializer
    throttle_classes = [LoginThrottle]

    def perform(self, request: Request, **data: Any) -> Response:
        """The password is checked first, so that a weak one does not use up the token."""
        check_new_password(data["new_password"], services.user_of_reset(data["token"]), field="new_password")
        services.reset_password(data["token"], data["new_password"])
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(
    request=None,
    responses={
        202: OpenApiResponse(description="A mail is on its way."),
        **problem(409, "`nothing_to_verify`: no address waits to be verified."),
    },
)
class EmailVerifyView(APIView):
    """Send the verification mail again."""

    throttle_classes = [AccountThrottle, *APIView.throttle_classes]

    def post(self, request: Request) -> Response:
        """Send the verification mail again."""
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


@extend_schema(
    responses={204: NOTHING, **INVALID_TOKEN, **problem(409, "`email_taken`: another has verified it by now.")}
)
class EmailConfirmView(PublicFormView):
    """Confirm an e-mail address by a mailed token."""

    serializer_class = TokenSerializer
    throttle_classes = [LoginThrottle]

    def perform(self, request: Request, **data: Any) -> Response:
        """The address is the reader's from here on."""
        services.confirm_email(data["token"])
        return Response(status=status.HTTP_204_NO_CONTENT)


@csrf_exempt
@require_safe
@cache_control(public=True, max_age=3600)
def jwks(request: HttpRequest) -> HttpResponse:
    """The public keys that verify access tokens (RFC 7517)."""
    return JsonResponse({"keys": [tokens.backend.jwk()]})
