"""Who is calling."""

from typing import Any, cast

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from accounts.models import AuthSession, User
from accounts.tokens import InvalidToken, session_of
from bookbridge.api.request_context import client_address
from bookbridge.api.throttling import login_identities, wait_for


def caller(request: HttpRequest | Request) -> User:
    """The signed-in reader, where the permissions have made sure that there is one."""
    return cast(User, request.user)


class SessionTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access>`; the token's sign-in is looked up on each request, so its end bites at once."""

    def authenticate(self, request: Request) -> tuple[User, AuthSession] | None:
        """The caller and their sign-in (`request.auth`); None without a Bearer token. Raises InvalidToken."""
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        if len(parts) != 2:
            raise InvalidToken(_("The Authorization header is not “Bearer” and one token."))
        try:
            session = session_of(parts[1].decode("ascii"))
        except UnicodeDecodeError:
            raise InvalidToken from None
        return session.user, session

    def authenticate_header(self, request: Request) -> str:
        """What WWW-Authenticate says at 401."""
        return "Bearer"


class SessionTokenScheme(OpenApiAuthenticationExtension):
    """The same, for the OpenAPI document."""

    target_class = SessionTokenAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """HTTP bearer authentication with a JWT."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class AdminBackend(ModelBackend):
    """The admin's sign-in: at the API's sign-in rate, and shut at once to whoever is suspended."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """The account; None, before any hashing, over the rate."""
        if request is not None and wait_for("login", login_identities(client_address(request), username or "")):
            return None
        user: User | None = super().authenticate(request, username, password, **kwargs)
        return user

    def get_user(self, user_id: int) -> User | None:
        """Whose session it is, with their second factor."""
        user = User.objects.select_related("second_factor").filter(pk=user_id).first()
        return user if self.user_can_authenticate(user) else None

    def user_can_authenticate(self, user: User | None) -> bool:  # type: ignore[override]
        """Asked at the sign-in and on each request after it."""
        return user is not None and user.may_sign_in
