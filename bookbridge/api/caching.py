"""Answers kept as ready bytes in the cache, which nobody ever reads stale.

What a kept answer is made of has generations, numbers in the database (`bookbridge.api.counters`) that a write moves in
its own transaction. They are read before anything else of the answer and are part of its key: an answer made of older
rows than its generations say cannot be kept, and one of former generations is never asked for again. So no outage of
the cache, no lost message and no process of its own memory can make an answer stale; the price is one small query.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.utils.translation import get_language
from rest_framework.request import Request
from rest_framework.response import Response

from bookbridge.api import counters, redis
from bookbridge.api.replicas import reading_primary
from bookbridge.api.text import digest_of

# Seconds an answer is kept at most, give or take a quarter. Not for its truth, but so that the cache stays small.
KEPT_FOR = 60
MOST_BYTES = 200_000
# Seconds within which one caller is expected to have made the answer, and the others wait for it.
MAKING, WAITING = 2, 0.25
# Answers to these are seldom asked for twice.
RARE = {"search", "cursor"}
JSON = "application/json"


class KeptAnswers:
    """View mixin: GET is answered from the cache where that is sure to be what the view would answer.

    `kept` maps actions (of a view that is no viewset: `get`) to the generations that their answers are made of, for
    answers that do not depend on the caller; `kept_for_strangers` is for those that do, and serves callers who have
    not signed in. A name may hold parts of the path: `book:{pk}`.
    """

    kept: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    kept_for_strangers: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After sign-in, permissions, rates and parameters, put the cache before this view's own method."""
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        action = getattr(self, "action", "get")
        names = self.kept.get(action)
        if names is None and not request.user.is_authenticated:
            names = self.kept_for_strangers.get(action)
        if names and _may_be_kept(request):
            method = str(request.method).lower()
            # As the writers name them, also where a path says 007.
            path = {name: str(value).lstrip("0") for name, value in kwargs.items()}
            generations = [name.format(**path) for name in names]
            # DRF looks the method up after this, so it finds the cache.
            setattr(self, method, partial(_answer, getattr(self, method), generations))


def _may_be_kept(request: Request) -> bool:
    """Plain JSON that may be asked for again; and outside a transaction, inside which one may see what never was."""
    return (
        request.method in ("GET", "HEAD")
        and request.accepted_media_type == JSON
        and not RARE & request.query_params.keys()
        and not connection.in_atomic_block
    )


def _answer(
    view: Callable[..., Response], generations: list[str], request: Request, *args: Any, **kwargs: Any
) -> HttpResponse:
    """The kept answer, or the view's, which is kept."""
    # A replica that lags would answer with rows older than the generations.
    with reading_primary():
        key = _key(request, counters.read(generations))
        text = _find(key)
        response = view(request, *args, **kwargs) if text is None else HttpResponse(text, content_type=JSON)
    if isinstance(response, Response) and response.status_code == 200:
        response.add_post_render_callback(partial(_keep, key))
    if settings.DEBUG:
        response["X-Cache"] = "miss" if text is None else "hit"
    return response


def _key(request: Request, generations: Mapping[str, int]) -> str:
    """By the whole address, since answers have absolute links, and the language of their words."""
    parts = [request.build_absolute_uri(), get_language() or "", *(f"{n}={g}" for n, g in generations.items())]
    return "kept:" + digest_of("\n".join(parts))


def _find(key: str) -> str | None:
    """The kept text. Where it is missing, one caller gets None at once, to make it; the others wait a little first."""
    text = _read(key)
    # None is a cache that does not work: nobody else will find anything in it either.
    if text is not None or cache.add(f"{key}:made", 1, MAKING) is not False:
        return text
    until = time.monotonic() + WAITING
    while text is None and time.monotonic() < until and not redis.breaker.is_open:
        time.sleep(0.01)
        text = _read(key)
    return text


def _read(key: str) -> str | None:
    try:
        value = cache.get(key)
    except ValueError:  # somebody else's bytes under this key
        return None
    return value if isinstance(value, str) else None


def _keep(key: str, response: Response) -> None:
    if len(response.content) <= MOST_BYTES:
        cache.set(key, response.content.decode(), KEPT_FOR * random.uniform(0.75, 1.25))
