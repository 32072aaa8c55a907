"""Middleware of accounts."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts.models import AuthSession


class TokenUseMiddleware:
    """Record the first use of a new token pair, after which the previous refresh token is spent.

    A rejected request does not count, because another client than the one that received the pair may have sent it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle the request."""
        response = self.get_response(request)
        session = getattr(request, "auth", None)  # set by REST framework
        if isinstance(session, AuthSession) and session.uses_new_pair and response.status_code < 400:
            session.mark_pair_as_used()
        return response
