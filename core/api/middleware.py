"""Middleware for requests and responses of the API."""

import io
import logging
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from rest_framework.response import Response

from core.api.exceptions import CODES, PROBLEM_CONTENT_TYPE, problem_response
from core.api.throttling import get_quotas, set_rate_limit_headers

GetResponse = Callable[[HttpRequest], HttpResponse]

logger = logging.getLogger("bookbridge.requests")


class APIMiddleware:
    """Limit request bodies under `/api/`, set cache and rate headers, and turn errors into problem details.

    The errors are those that do not come from a view, such as a failed precondition or the debug page.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle the request, unless its body is rejected, and adjust the response."""
        if not request.path_info.startswith("/api/"):
            return self.get_response(request)
        response = _reject_body(request) or self.get_response(request)
        if response.status_code >= 400 and not _is_problem(response):
            response = _to_problem(response)
        _set_cache_headers(request, response)
        set_rate_limit_headers(response, get_quotas(request))
        return response


def _reject_body(request: HttpRequest) -> HttpResponse | None:
    """Return 413 for a body over the limit, before it is read, and make a chunked body readable.

    Django reads as many bytes as Content-Length says, and a chunked body has no Content-Length. The application server
    (gunicorn) decodes the chunks and marks the end of the stream, so the body is read here, up to the limit, and gets
    its length.
    """
    upload = request.META.get("CONTENT_TYPE", "").startswith("multipart/")
    # A multipart body is a few hundred bytes larger than its file; the view checks the size of the file itself.
    limit = settings.MAX_UPLOAD_BYTES + 100_000 if upload else settings.MAX_REQUEST_BODY_BYTES
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isascii() and length.isdigit() and int(length) > limit:
        return problem_response(413, "too_large")
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower() and length == "0":
        try:
            body = request.META["wsgi.input"].read(limit + 1) if request.META.get("wsgi.input_terminated") else b""
        except Exception as error:  # each application server raises its own errors for invalid chunks
            logger.info("a chunked body could not be read: %s", type(error).__name__)
            return problem_response(400, "bad_request")
        if len(body) > limit:
            return problem_response(413, "too_large")
        request.META["CONTENT_LENGTH"] = str(len(body))
        request._stream = io.BytesIO(body)  # WSGIRequest reads the body from here
    return None


def _is_problem(response: HttpResponse) -> bool:
    # DRF's responses come from the exception handler; with DEBUG a browser gets them as HTML.
    return isinstance(response, Response) or response["Content-Type"] == PROBLEM_CONTENT_TYPE


def _to_problem(response: HttpResponse) -> HttpResponse:
    code = CODES.get(response.status_code) or HTTPStatus(response.status_code).name.lower()
    problem = problem_response(response.status_code, code)
    for name, value in response.items():
        if not name.lower().startswith("content-") and name != "ETag":
            problem[name] = value
    return problem


def _set_cache_headers(request: HttpRequest, response: HttpResponse) -> None:
    """Set `private, no-cache` for a signed-in user; responses to anonymous users may be shared."""
    patch_vary_headers(response, ["Authorization", "Accept", "Accept-Language"])
    if not response.has_header("Cache-Control"):
        private = "HTTP_AUTHORIZATION" in request.META or request.method not in ("GET", "HEAD")
        public = "public, no-cache" if response.status_code in (200, 304) else "no-store"
        response["Cache-Control"] = "private, no-cache" if private else public
