"""Authentication of API requests and of the admin."""

from typing import Any, cast

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from accounts.models import AuthSession, User
from accounts.passwords import check_password
from accounts.tokens import InvalidToken, get_session
from core.api.throttling import check_rate, login_idents
from core.observability.request_context import get_client_ip


def current_user(request: HttpRequest | Request) -> User:
    """Return `request.user` as a User, for views that require authentication."""
    return cast(User, request.user)


class SessionTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access>`. The session is loaded on each request, so revocation is immediate."""

    def authenticate(self, request: Request) -> tuple[User, AuthSession] | None:
        """Return the user and their session (`request.auth`), or None without a Bearer token. Raises InvalidToken."""
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        if len(parts) != 2:
            raise InvalidToken(_("The Authorization header must be “Bearer” followed by one token."))
        try:
            session = get_session(parts[1].decode("ascii"))
        except UnicodeDecodeError:
            raise InvalidToken from None
        return session.user, session

    def authenticate_header(self, request: Request) -> str:
        """Return the WWW-Authenticate header of 401 responses."""
        return "Bearer"


class SessionTokenScheme(OpenApiAuthenticationExtension):
    """Describes the authentication in the OpenAPI document."""

    target_class = SessionTokenAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """Return the HTTP bearer scheme."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class AdminBackend(ModelBackend):
    """Admin authentication with the API's login throttle, which rejects suspended accounts."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """Return the user, or None if the password is wrong or the request is throttled (without hashing)."""
        if username is None or password is None:
            return None
        if request is not None and check_rate("login", login_idents(get_client_ip(request), username)):
            return None
        user = User.objects.with_username(username).first()
        return user if check_password(user, password) and self.user_can_authenticate(user) else None

    def get_user(self, user_id: int) -> User | None:
        """Return the user of the session with their TOTP device."""
        user = User.objects.select_related("second_factor").filter(pk=user_id).first()
        return user if self.user_can_authenticate(user) else None

    def user_can_authenticate(self, user: User | None) -> bool:  # type: ignore[override]
        """Return whether the user may sign in; checked on every request."""
        return user is not None and user.can_sign_in
