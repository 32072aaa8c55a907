"""The short path of the response cache: anonymous callers are served without a view, and see no difference."""

import json
import logging

import pytest
from django.core.cache import cache
from django.db import OperationalError, transaction
from django.test import override_settings

from catalog.models import Book
from catalog.views import BookViewSet
from core.api import response_cache
from core.api.response_cache import CACHE_SECONDS, SHORT_CACHE_SECONDS, CachedResponse
from core.counters import counters
from core.counters.versions import bump_versions, get_versions
from core.models import Counter
from core.release import code_digest
from reviews.models import Review
from stats.views import PlatformStatsView

pytestmark = pytest.mark.django_db(transaction=True)

BOOKS, STATS = "/api/v1/books/", "/api/v1/stats/"


@pytest.fixture
def book(db):
    return Book.create_book(by=None, title="Emma", authors=["Jane Austen"])


@pytest.fixture
def views(monkeypatch):
    """Return the list of the requests that have reached a view."""
    seen = []
    for view in (BookViewSet, PlatformStatsView):
        initial = view.initial
        monkeypatch.setattr(
            view,
            "initial",
            lambda self, request, *a, initial=initial, **kw: (
                seen.append(request.path) or initial(self, request, *a, **kw)
            ),
        )
    return seen


@pytest.mark.parametrize("place", [BOOKS, f"{BOOKS}?ordering=title", STATS, "{book}", "{book}stats/"])
def test_hit_reaches_no_view_and_looks_the_same(anonymous, book, views, place):
    place = place.format(book=f"{BOOKS}{book.pk}/")
    first, second = anonymous.get(place), anonymous.get(place)
    assert len(views) == 1
    assert first.content == second.content
    assert headers_of(first) == headers_of(second)
    assert second["X-Frame-Options"] == "DENY"
    assert second["Content-Length"] == str(len(first.content))


def headers_of(response):
    return {name: value for name, value in response.headers.items() if name != "X-Request-ID"}


@pytest.mark.parametrize("place", [BOOKS, STATS])
@pytest.mark.parametrize(
    ("condition", "status"),
    [("{etag}", 304), ("W/{etag}", 304), ('"a", {etag}', 304), ("*", 304), ('"other"', 200)],
)
def test_conditional_hit_equals_that_of_the_view(anonymous, book, views, place, condition, status):
    condition = condition.format(etag=anonymous.get(place)["ETag"])
    hit = anonymous.get(place, HTTP_IF_NONE_MATCH=condition)
    assert len(views) == 1
    seen = anonymous.get(place, HTTP_IF_NONE_MATCH=condition, HTTP_RANGE="bytes=0-1")
    assert len(views) == 2
    assert hit.status_code == seen.status_code == status
    assert hit.content == seen.content
    assert headers_of(hit) == headers_of(seen)


def test_head_hit_has_the_headers_of_get(anonymous, book, views):
    first = anonymous.get(BOOKS)
    response = anonymous.head(BOOKS)
    assert len(views) == 1
    assert (response.status_code, headers_of(response)) == (200, headers_of(first))


@pytest.mark.parametrize(
    "header",
    [
        {"HTTP_COOKIE": "django_language=pt-br"},
        {"HTTP_ORIGIN": "https://app.example"},
        {"HTTP_IF_MATCH": '"x"'},
        {"HTTP_IF_UNMODIFIED_SINCE": "Sun, 29 Nov 2026 00:00:00 GMT"},
        {"HTTP_TRANSFER_ENCODING": "chunked"},
        {"CONTENT_LENGTH": "2000000"},
    ],
)
def test_requests_for_other_middleware_are_not_short_cut(anonymous, book, views, header):
    first, hit = anonymous.get(BOOKS), anonymous.get(BOOKS)
    response = anonymous.get(BOOKS, **header)
    assert headers_of(first) == headers_of(hit)
    assert len(views) == 2 or response.status_code == 413
    if "HTTP_COOKIE" in header:
        assert response["Content-Language"] == "pt-br"


def test_languages_have_hits_of_their_own(anonymous, book, views):
    for language, tag in (("pt-BR, en;q=0.5", "pt-br"), ("en-GB", "en"), ("xx", "en"), ("pt", "pt-br")):
        responses = [anonymous.get(BOOKS, HTTP_ACCEPT_LANGUAGE=language) for _ in range(2)]
        assert [response["Content-Language"] for response in responses] == [tag, tag]
    assert len(views) == 2


def test_client_that_only_asks_for_changes_fills_the_cache(anonymous, book, views):
    etag = anonymous.get(BOOKS)["ETag"]
    cache.clear()
    assert [anonymous.get(BOOKS, HTTP_IF_NONE_MATCH=etag).status_code for _ in range(2)] == [304, 304]
    assert len(views) == 2
    assert anonymous.get(BOOKS)["ETag"] == etag
    assert len(views) == 2


@pytest.mark.parametrize("place", ["/api/v1/clubs/", "/api/v1/reviews/", "/api/v1/"])
def test_uncached_response_is_conditional_too(anonymous, book, place):
    etag = anonymous.get(place)["ETag"]
    response = anonymous.get(place, HTTP_IF_NONE_MATCH=etag)
    assert (response.status_code, response.content, response["ETag"]) == (304, b"", etag)
    seen = anonymous.get(place, HTTP_IF_NONE_MATCH=etag, HTTP_RANGE="bytes=0-1")
    assert headers_of(response) == headers_of(seen)


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "application/json, text/plain, */*"])
def test_common_accept_headers_take_the_short_path(anonymous, book, views, accept):
    headers = {} if accept is None else {"HTTP_ACCEPT": accept}
    anonymous.get(BOOKS)
    assert anonymous.get(BOOKS, **headers).status_code == 200
    assert len(views) == 1


@pytest.mark.parametrize(
    ("accept", "status"), [("application/json; indent=4", 200), ("text/html", 406), ("application/xml", 406)]
)
def test_other_accept_headers_reach_the_view(anonymous, book, views, accept, status):
    anonymous.get(BOOKS)
    assert anonymous.get(BOOKS, HTTP_ACCEPT=accept).status_code == status
    assert len(views) == 2


def test_path_without_slash_shares_the_response(anonymous, book, views):
    anonymous.get(BOOKS)
    assert anonymous.get(BOOKS.rstrip("/")).status_code == 200
    assert len(views) == 1


@pytest.mark.parametrize("authorization", ["Bearer nonsense", "Basic YTpi", ""])
def test_credentials_always_reach_the_view(anonymous, book, views, authorization):
    anonymous.get(BOOKS)
    anonymous.get(BOOKS, HTTP_AUTHORIZATION=authorization)
    assert len(views) == 2


def test_invalid_token_is_401_although_the_response_is_cached(anonymous, book):
    anonymous.get(BOOKS)
    assert anonymous.get(BOOKS, HTTP_AUTHORIZATION="Bearer nonsense").status_code == 401


def test_only_what_an_anonymous_caller_got_is_public(anonymous, as_alice, book, views):
    as_alice.get(BOOKS)
    anonymous.get(BOOKS)  # reaches the view, whose permissions have the say
    assert len(views) == 2
    anonymous.get(BOOKS)
    assert len(views) == 2


def test_post_is_not_served_from_the_cache(anonymous, as_alice, book):
    anonymous.get(BOOKS)
    assert anonymous.post(BOOKS, {}).status_code == 401
    assert as_alice.post(BOOKS, {}).status_code == 400


def test_unknown_host_is_rejected_on_a_hit(anonymous, book):
    anonymous.get(BOOKS)
    assert anonymous.get(BOOKS, HTTP_HOST="evil.example").status_code == 400


def test_invalid_parameter_is_a_problem_beside_a_cached_response(anonymous, book, problem):
    anonymous.get(BOOKS)
    problem(anonymous.get(f"{BOOKS}?colour=red"), 400, "invalid_parameter")


def test_request_id_of_a_hit_is_the_callers(anonymous, book):
    anonymous.get(BOOKS)
    assert anonymous.get(BOOKS, HTTP_X_REQUEST_ID="abc-1")["X-Request-ID"] == "abc-1"


def test_hit_is_logged_and_measured_with_its_route(anonymous, book, caplog):
    def measured():
        lines = anonymous.get("/metrics").content.decode().splitlines()
        return [line for line in lines if line.startswith("bookbridge_requests_total") and "books/" in line]

    anonymous.get(BOOKS)
    before = measured()
    with caplog.at_level(logging.INFO, logger="bookbridge.access"):
        logging.getLogger("bookbridge.access").addHandler(caplog.handler)
        anonymous.get(BOOKS)
        logging.getLogger("bookbridge.access").removeHandler(caplog.handler)
    record = next(record for record in caplog.records if record.name == "bookbridge.access")
    assert (record.path, record.status, record.user) == (BOOKS, 200, None)
    after = measured()
    assert len(before) == len(after)
    assert before != after


def test_hit_over_the_rate_is_429_with_retry_after(anonymous, book, rate, problem):
    rate("anon", 3)
    assert [anonymous.get(BOOKS).status_code for _ in range(3)] == [200, 200, 200]
    response = anonymous.get(BOOKS)
    problem(response, 429, "throttled")
    assert 1 <= int(response["Retry-After"]) <= 60
    assert anonymous.get(BOOKS, REMOTE_ADDR="192.0.2.9").status_code == 200


def test_stale_hit_is_counted_once(anonymous, alice, book, rate):
    rate("anon", 4)
    for rating in (1, 2):
        assert anonymous.get(BOOKS).status_code == 200
        Review.create_review(book=book, by=alice, rating=rating).delete_review()
    assert [anonymous.get(BOOKS).status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("place", ["/api/v1/users/me/", "/api/v1/nothing/", "/api/v1/clubs/1/members/"])
def test_rejected_calls_over_the_rate_are_still_rejected(anonymous, rate, place):
    rate("anon", 1)
    statuses = {anonymous.get(place).status_code for _ in range(3)}
    assert statuses in ({401}, {404})


@pytest.mark.parametrize("place", ["/api/v1/reviews/", f"{BOOKS}?search=emma", "{book}reviews/"])
def test_uncached_call_is_counted_once(anonymous, book, rate, place):
    rate("anon", 2)
    place = place.format(book=f"{BOOKS}{book.pk}/")
    assert [anonymous.get(place).status_code for _ in range(3)] == [200, 200, 429]


def test_hit_within_a_transaction_is_left_to_the_view(anonymous, book, views):
    anonymous.get(BOOKS)
    with transaction.atomic():
        anonymous.get(BOOKS)
    assert len(views) == 2


def test_database_that_is_down_is_503_on_a_hit(anonymous, book, monkeypatch, problem):
    anonymous.get(BOOKS)

    def down(names):
        raise OperationalError(2002, "no")

    monkeypatch.setattr(response_cache, "get_versions", down)
    problem(anonymous.get(BOOKS), 503, "unavailable")


def test_responses_without_parameters_are_kept_for_hours(monkeypatch):
    kept = []
    monkeypatch.setattr(cache, "set", lambda key, value, seconds: kept.append(seconds))
    response = CachedResponse({"a": 1}, "books/", "", {}, "{}")
    for url in ("redis://localhost", None):
        with override_settings(REDIS_URL=url):
            response.save("response:x")
            response.save("response:?x")
    expected = [CACHE_SECONDS, SHORT_CACHE_SECONDS, SHORT_CACHE_SECONDS, SHORT_CACHE_SECONDS]
    assert all(0.75 <= seconds / about <= 1.25 for seconds, about in zip(kept, expected, strict=True))


@pytest.mark.parametrize("field", ["versions", "headers", "body"])
def test_incomplete_cached_response_is_a_miss(anonymous, book, views, monkeypatch, field):
    set_value = cache.set
    monkeypatch.setattr(
        cache,
        "set",
        lambda key, value, seconds: set_value(key, {k: v for k, v in value.items() if k != field}, seconds),
    )
    for _ in range(2):
        assert json.loads(anonymous.get(BOOKS).content)["results"]
    assert len(views) == 2


def test_new_release_does_not_serve_old_responses(anonymous, book, views, monkeypatch):
    anonymous.get(BOOKS)
    monkeypatch.setattr(response_cache, "code_digest", lambda: "another")
    anonymous.get(BOOKS)
    assert len(views) == 2


def test_digest_changes_with_the_code(tmp_path, settings):
    code_digest.cache_clear()
    before = code_digest()
    code_digest.cache_clear()
    assert code_digest() == before
    (tmp_path / "requirements.txt").write_text("django==99")
    settings.BASE_DIR = tmp_path
    code_digest.cache_clear()
    assert code_digest() != before
    code_digest.cache_clear()


def test_versions_of_a_restored_database_do_not_recur():
    """Restore twice to the same state and write once: the versions differ, although as much was written."""
    seen = set()
    for _ in range(3):
        Counter.objects.all().delete()
        bump_versions("any book", "book:7")
        counters.increment({"books": 1})
        seen |= {*get_versions(["any book", "book:7"]).values(), counters.get_values(["totals"])["totals"]}
    assert len(seen) >= 6
    assert counters.get_values(["books"]) == {"books": 1}
