"""What happens to every request before and after its view."""

import io
import logging
import re
import time
import uuid
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.utils.cache import patch_vary_headers
from rest_framework.response import Response

from bookbridge.api.errors import CODES, PROBLEM_TYPE, problem_response
from bookbridge.api.logs import current_request_id, set_request_id
from bookbridge.api.origin import NOWHERE, Origin, set_origin

GetResponse = Callable[[HttpRequest], HttpResponse]

logger = logging.getLogger("bookbridge.requests")
access_log = logging.getLogger("bookbridge.access")


def client_address(request: HttpRequest) -> str:
    """The caller's address: the one that the outermost trusted proxy saw, or the socket's without proxies.

    Only as many entries of X-Forwarded-For are believed, from the right, as there are trusted proxies; the rest
    is the caller's own claim.
    """
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    if settings.TRUSTED_PROXIES and forwarded:
        return forwarded[-min(settings.TRUSTED_PROXIES, len(forwarded))][:64]
    return str(request.META.get("REMOTE_ADDR", ""))


class RequestId:
    """Takes `X-Request-ID` if it is a sane token, else makes one; echoes it and hands it to the logs."""

    SANE = re.compile(r"[A-Za-z0-9._:+=-]{1,128}")

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Name the request, answer it, and say its name in the answer."""
        given = request.headers.get("X-Request-ID", "")
        set_request_id(given if self.SANE.fullmatch(given) else uuid.uuid4().hex)
        response = self.get_response(request)
        response["X-Request-ID"] = current_request_id()
        return response


class RequestOrigin:
    """Tells whoever writes down what a request did where it came from."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer; the next use of this thread knows nothing of it."""
        agent = "".join(c for c in request.headers.get("User-Agent", "")[:1000] if c.isprintable())
        set_origin(Origin(client_address(request), agent))
        try:
            return self.get_response(request)
        finally:
            set_origin(NOWHERE)


class OneShape:
    """Gives errors under `/api/` the one shape wherever they come from: Django's debug pages, a failed precondition."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer; an error that no API view made becomes a problem, with the headers it had."""
        response = self.get_response(request)
        if response.status_code < 400 or not request.path_info.startswith("/api/") or _is_shaped(response):
            return response
        code = CODES.get(response.status_code) or HTTPStatus(response.status_code).name.lower()
        problem = problem_response(response.status_code, code)
        for name, value in response.items():
            if not name.lower().startswith("content-") and name != "ETag":
                problem[name] = value
        return problem


def _is_shaped(response: HttpResponse) -> bool:
    # DRF's answers went through the exception handler; in development a browser gets them as pages.
    return isinstance(response, Response) or response["Content-Type"] == PROBLEM_TYPE


class AccessLog:
    """Writes one line a request: paths without their query, and no header, so that no token can stand in it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, then write the line."""
        started, path = time.perf_counter(), request.path
        response = self.get_response(request)
        access_log.info(
            "",
            extra={
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "request_id": current_request_id(),
                "user": getattr(request, "caller_id", None),
                "method": request.method,
                "path": path,
                "status": response.status_code,
                "ms": round((time.perf_counter() - started) * 1000, 1),
                "bytes": 0 if response.streaming else len(response.content),
                "address": client_address(request),
            },
        )
        return response


class SlashlessPaths:
    """Serves `/api/v1/books` as `/api/v1/books/`, in place: a redirect would lose a POST's body."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, with the canonical path where only that is a route."""
        path = request.path_info
        if path.startswith("/api/") and not path.endswith("/") and not _routed(path) and _routed(path + "/"):
            request.path_info += "/"
            request.path += "/"
        return self.get_response(request)


def _routed(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


class BodyLimit:
    """Refuses bodies over the limit with 413 before anything reads them, and makes chunked bodies readable.

    Django reads as many bytes as Content-Length says, and a chunked body has none; the server in front (gunicorn)
    has undone the chunks and marks the stream's end, so it is read here, up to the limit, and given a length.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, unless the body is too large."""
        if not request.path_info.startswith("/api/"):
            return self.get_response(request)
        upload = request.META.get("CONTENT_TYPE", "").startswith("multipart/")
        # A multipart body is its file and some hundred bytes around it; the view checks the file itself.
        limit = settings.UPLOAD_LIMIT + 100_000 if upload else settings.BODY_LIMIT
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isascii() and length.isdigit() and int(length) > limit:
            return problem_response(413, "too_large")
        if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower() and length == "0":
            try:
                body = request.META["wsgi.input"].read(limit + 1) if request.META.get("wsgi.input_terminated") else b""
            except Exception as error:  # chunks that are none, or that broke off: each server has its own errors for it
                logger.info("a chunked body could not be read: %s", type(error).__name__)
                return problem_response(400, "bad_request")
            if len(body) > limit:
                return problem_response(413, "too_large")
            request.META["CONTENT_LENGTH"] = str(len(body))
            request._stream = io.BytesIO(body)  # where WSGIRequest keeps it
        return self.get_response(request)


class CacheHeaders:
    """`private, no-cache` for what was answered to a caller who signed in; public answers may be shared."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, with Cache-Control and Vary where the view set none."""
        response = self.get_response(request)
        if request.path_info.startswith("/api/"):
            patch_vary_headers(response, ["Authorization", "Accept", "Accept-Language"])
            if not response.has_header("Cache-Control"):
                private = "HTTP_AUTHORIZATION" in request.META or request.method not in ("GET", "HEAD")
                shared = "public, no-cache" if response.status_code in (200, 304) else "no-store"
                response["Cache-Control"] = "private, no-cache" if private else shared
        return response
