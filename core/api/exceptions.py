"""Errors of the API: RFC 9457 problem details, `application/problem+json`.

`code` is for programs and never changes; `title` and `detail` are for people and follow Accept-Language.
"""

import logging
import math
import sys
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import force_str
from django.utils.translation import gettext_lazy as _
from prometheus_client import Counter
from rest_framework import exceptions, status
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from core.api.drf_messages import translate
from core.observability.request_context import current_request_id

logger = logging.getLogger("bookbridge.errors")

PROBLEM_CONTENT_TYPE = "application/problem+json"

TITLES = {
    400: _("Bad request"),
    401: _("Sign-in required"),
    403: _("Not allowed"),
    404: _("Not found"),
    405: _("Method not allowed"),
    406: _("Not acceptable"),
    409: _("Conflict"),
    410: _("Gone"),
    412: _("Precondition failed"),
    413: _("Content too large"),
    415: _("Unsupported media type"),
    422: _("Cannot be processed"),
    429: _("Too many requests"),
    500: _("Server error"),
    503: _("Service unavailable"),
}
DETAILS = {
    400: _("The request is malformed."),
    403: _("You do not have permission to do this."),
    404: _("Not found."),
    412: _("The resource has changed since you last fetched it."),
    413: _("The request body is too large."),
    500: _("An internal error occurred. It has been logged."),
    503: _("The service is temporarily unavailable. Please try again shortly."),
}
# Codes of errors that do not come from a view of the API; others are named after their status.
CODES = {
    400: "bad_request",
    403: "permission_denied",
    404: "not_found",
    413: "too_large",
    500: "server_error",
    503: "unavailable",
}
RETRY_AFTER_SECONDS = 5
DATABASE_ERRORS = Counter("bookbridge_db_errors_total", "Number of requests that failed because of the database.")


class APIProblem(exceptions.APIException):
    """An error response. `extra` fields are added to the standard ones, `errors` describes invalid fields.

    >>> raise Conflict("duplicate_isbn", _("..."), book=7)
    """

    def __init__(
        self,
        status_code: int,
        code: str,
        detail: Any,
        *,
        errors: list[dict[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail, code)
        self.status_code = status_code
        self.code = code
        self.errors = errors
        self.headers = dict(headers or {})
        self.extra = extra

    def log(self) -> None:
        """Log the error. Called after the transaction around the request, which has been rolled back."""


class Conflict(APIProblem):
    """409: the request is valid but conflicts with the current state. `extra` names what it conflicts with."""

    def __init__(self, code: str, detail: Any, **extra: Any) -> None:
        super().__init__(status.HTTP_409_CONFLICT, code, detail, **extra)


class PermissionDeniedProblem(APIProblem):
    """403: the user may see the object but may not do this; what they may not see is 404."""

    def __init__(self, code: str, detail: Any, **extra: Any) -> None:
        super().__init__(status.HTTP_403_FORBIDDEN, code, detail, **extra)


class InvalidParameter(APIProblem):
    """400: a query parameter is unknown or invalid. Ignoring it could show unfiltered rows."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__(400, "invalid_parameter", _("A query parameter is unknown or invalid."), errors=errors)


class InvalidFieldError(exceptions.ValidationError):
    """400 for one field of the body, found outside its serializer. `field` is its path, such as `authors.0`."""

    def __init__(self, field: str, code: str, detail: Any) -> None:
        super().__init__({field: [exceptions.ErrorDetail(force_str(detail), code)]})


class ServiceUnavailable(APIProblem):
    """503 with Retry-After: the same request may succeed later."""

    def __init__(self, code: str = "unavailable", detail: Any = DETAILS[503]) -> None:
        super().__init__(503, code, detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def field_errors(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Yield DRF's nested validation errors as flat `{field, code, detail}`, with the field as a path `a.b.0`."""
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            yield from field_errors(value, f"{path}.{key}" if path else str(key))
    elif isinstance(detail, list | tuple):
        nested = any(isinstance(item, Mapping | list) for item in detail)
        for index, item in enumerate(detail):
            yield from field_errors(item, f"{path}.{index}" if nested else path)
    else:
        yield {"field": path, "code": getattr(detail, "code", "invalid"), "detail": translate(_text(detail))}


def problem_document(
    status_code: int, code: str, detail: Any = None, *, errors: list[dict[str, str]] | None = None, **extra: Any
) -> dict[str, Any]:
    """Return the body of a problem response."""
    document = {
        "type": "about:blank",
        "title": _text(TITLES.get(status_code) or HTTPStatus(status_code).phrase),
        "status": status_code,
        "detail": _text(
            detail or DETAILS.get(status_code) or TITLES.get(status_code) or HTTPStatus(status_code).phrase
        ),
        "code": code,
        "request_id": current_request_id(),
    }
    return document | ({"errors": errors} if errors else {}) | extra


def problem_response(status_code: int, code: str, detail: Any = None, **headers: str) -> HttpResponse:
    """Return a problem response from outside a DRF view (middleware, Django's error handlers)."""
    body = JSONRenderer().render(problem_document(status_code, code, detail))
    headers = {"Content-Length": str(len(body)), **headers}
    return HttpResponse(body, status=status_code, content_type=PROBLEM_CONTENT_TYPE, headers=headers)


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response:
    """Turn every exception of a view into a problem; an unexpected one is logged and 500. DRF's EXCEPTION_HANDLER."""
    if isinstance(exc, IntegrityError) and _is_account_deleted(context):
        exc = exceptions.NotAuthenticated()
        exc.auth_header = context["view"].get_authenticate_header(context["request"])  # type: ignore[attr-defined]
    exc = _to_api_exception(exc)
    if isinstance(exc, APIProblem):
        exc.log()
    headers = dict(getattr(exc, "headers", {}))
    auth_header, wait = getattr(exc, "auth_header", None), getattr(exc, "wait", None)
    if auth_header:
        headers["WWW-Authenticate"] = auth_header
    if wait is not None:
        headers["Retry-After"] = str(max(1, math.ceil(wait)))
    response = Response(_document(exc), status=exc.status_code, headers=headers)
    response.exception = True
    renderer = getattr(context.get("request"), "accepted_renderer", None)
    if renderer is None or renderer.format == "json":
        response.content_type = PROBLEM_CONTENT_TYPE
    return response


def _is_account_deleted(context: dict[str, Any]) -> bool:
    """Return whether the caller's account was deleted during the request, so that rows can no longer refer to it."""
    user_id = getattr(getattr(context.get("request"), "user", None), "pk", None)
    return user_id is not None and not get_user_model().objects.filter(pk=user_id).exists()


def _to_api_exception(exc: Exception) -> exceptions.APIException:
    """Return the API exception for any exception."""
    if isinstance(exc, exceptions.APIException):
        return exc
    if isinstance(exc, Http404):
        return exceptions.NotFound()
    if isinstance(exc, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(exc, RequestDataTooBig):
        return APIProblem(413, "too_large", DETAILS[413])
    if isinstance(exc, SuspiciousOperation | UnreadablePostError):
        # Too many parameters, a Host that is not allowed, or a truncated body.
        return APIProblem(400, "bad_request", DETAILS[400])
    if isinstance(exc, OperationalError | InterfaceError):
        DATABASE_ERRORS.inc()
        logger.error("database unavailable", exc_info=exc)
        return ServiceUnavailable()
    if isinstance(exc, IntegrityError):
        # Expected concurrent changes are handled where they occur, with their own codes; this is the fallback.
        logger.error("unhandled integrity error", exc_info=exc)
        return Conflict("conflict", _("This conflicts with another change. Please try again."))
    logger.error("unhandled exception", exc_info=exc)
    return APIProblem(500, "server_error", DETAILS[500])


def _document(exc: exceptions.APIException) -> dict[str, Any]:
    if isinstance(exc, exceptions.ValidationError):
        errors = [{**e, "field": e["field"] or "non_field_errors"} for e in field_errors(exc.detail)]
        return problem_document(exc.status_code, "invalid", _("Some fields are not valid."), errors=errors)
    if isinstance(exc, APIProblem):
        return problem_document(exc.status_code, exc.code, exc.detail, errors=exc.errors, **exc.extra)
    codes = exc.get_codes()
    return problem_document(
        exc.status_code,
        codes if isinstance(codes, str) else exc.default_code,
        DETAILS[404] if exc.status_code == 404 else exc.detail,
    )


def _text(detail: Any) -> str:
    """Return a detail, which some libraries give as a dictionary, as a string.

    It may contain values from the request; a lone surrogate cannot be encoded and becomes `?`.
    """
    text = force_str(detail.get("detail", "") if isinstance(detail, Mapping) else detail)
    return text.encode("utf-8", "replace").decode()


def _error_response(request: HttpRequest, status_code: int, **headers: str) -> HttpResponse:
    """Return a problem under /api/, and an HTML page elsewhere; in the admin it links to the index."""
    if request.path.startswith("/api/"):
        return problem_response(status_code, CODES[status_code], **headers)
    admin_index = reverse("admin:index")
    context = {"title": TITLES[status_code], "detail": DETAILS[status_code]}
    # Without the request, so that no session or user is loaded: the database may be down.
    page = render_to_string(
        "error.html", context | ({"admin_index": admin_index} if request.path.startswith(admin_index) else {})
    )
    return HttpResponse(page, status=status_code, headers=headers)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 400. Django's handler400."""
    return _error_response(request, 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 403. Django's handler403."""
    return _error_response(request, 403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 404. Django's handler404."""
    return _error_response(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Return 500, or 503 if the database is the cause. Django's handler500."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return service_unavailable(request)
    return _error_response(request, 500)


def service_unavailable(request: HttpRequest) -> HttpResponse:
    """Return 503 with `Retry-After`."""
    return _error_response(request, 503, **{"Retry-After": str(RETRY_AFTER_SECONDS)})
