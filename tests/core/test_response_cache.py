"""Response cache: the same bytes, never stale, and never another user's."""

import json
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import override_settings
from rest_framework.test import APIClient

from catalog.models import Book
from core.api import response_cache, throttling
from core.counters import counters
from reviews.models import Review

pytestmark = pytest.mark.django_db(transaction=True)

BOOKS, STATS = "/api/v1/books/", "/api/v1/stats/"


@pytest.fixture(autouse=True)
def in_development():
    with override_settings(DEBUG=True):
        yield


@pytest.fixture
def book(db):
    return Book.create_book(by=None, title="Emma", authors=["Jane Austen"])


def outcome(response):
    assert response.status_code == 200, response.content
    return response.headers.get("X-Cache")


@pytest.mark.parametrize("place", [BOOKS, f"{BOOKS}?ordering=title", STATS, "{book}", "{book}stats/"])
def test_cached_response_has_the_same_bytes(anonymous, book, place):
    place = place.format(book=f"{BOOKS}{book.pk}/")
    first, second = anonymous.get(place), anonymous.get(place)
    assert (outcome(first), outcome(second)) == ("miss", "hit")
    assert first.content == second.content
    for name in ("Content-Type", "ETag", "Vary", "Cache-Control", "Allow", "Content-Language"):
        assert first.headers.get(name) == second.headers.get(name), name


def test_cache_hit_takes_one_query(anonymous, book, django_assert_num_queries):
    for place in (BOOKS, STATS, f"{BOOKS}{book.pk}/"):
        anonymous.get(place)
        # The cache versions.
        with django_assert_num_queries(1):
            assert outcome(anonymous.get(place)) == "hit"


def test_cached_response_supports_if_none_match(anonymous, book):
    etag = anonymous.get(BOOKS)["ETag"]
    response = anonymous.get(BOOKS, HTTP_IF_NONE_MATCH=etag)
    assert (response.status_code, response.content, response["ETag"]) == (304, b"", etag)
    assert response["Cache-Control"] == "public, no-cache"
    assert {"Authorization", "Accept", "Accept-Language"} <= {word.strip() for word in response["Vary"].split(",")}


def test_cached_response_has_the_rate_limit_of_its_call(anonymous, book, rate):
    rate("anon", 30)
    responses = [anonymous.get(BOOKS) for _ in range(4)]
    assert [outcome(response) for response in responses] == ["miss", "hit", "hit", "hit"]
    unchanged = anonymous.get(BOOKS, headers={"If-None-Match": responses[0]["ETag"]})
    assert unchanged.status_code == 304
    left = [response["RateLimit"].partition(";t=")[0] for response in [*responses, unchanged]]
    assert left == [f'"anon";r={remaining}' for remaining in (29, 28, 27, 26, 25)]
    assert {r["RateLimit-Policy"] for r in [*responses, unchanged]} == {'"anon";q=30;w=60'}


def test_anonymous_errors_have_the_rate_limit_too(anonymous, rate):
    rate("anon", 30)
    responses = [anonymous.get(f"/api/v1/{place}/") for place in ("nope", "users/me", "books/77")]
    assert [response.status_code for response in responses] == [404, 401, 404]
    left = [response["RateLimit"].partition(";t=")[0] for response in responses]
    assert left == [f'"anon";r={remaining}' for remaining in (29, 28, 27)]


def test_head_and_get_share_a_cached_response(anonymous, book):
    anonymous.head(BOOKS)
    response = anonymous.get(BOOKS)
    assert outcome(response) == "hit"
    assert response.json()["results"][0]["id"] == book.pk
    assert anonymous.head(BOOKS).content == b""


def test_shared_response_is_private_for_signed_in_users(anonymous, alice, client_of, book):
    public = anonymous.get(BOOKS)
    own = client_of(alice).get(BOOKS)
    assert (outcome(own), own.content) == ("hit", public.content)
    assert own["Cache-Control"] == "private, no-cache"


def test_user_specific_responses_are_cached_for_anonymous_only(anonymous, alice, bob, client_of, book):
    place = f"{BOOKS}{book.pk}/reviews/"
    Review.create_review(book=book, by=alice, rating=9, visibility="private")
    assert anonymous.get(place).json()["results"] == []
    assert outcome(anonymous.get(place)) == "hit"
    as_alice, as_bob = client_of(alice), client_of(bob)
    for _ in range(2):
        assert len(as_alice.get(place).json()["results"]) == 1
        assert as_bob.get(place).json()["results"] == []
    assert outcome(as_alice.get(place)) is None


@pytest.mark.parametrize(
    "other",
    [
        {"HTTP_HOST": "localhost"},
        {"HTTP_ACCEPT_LANGUAGE": "pt-BR"},
        {"HTTP_X_FORWARDED_PROTO": "https", "secure": True},
    ],
)
def test_cache_key_contains_host_scheme_and_language(anonymous, book, other):
    for title in range(21):
        Book.create_book(by=None, title=f"Book {title}", authors=["A"])
    first = anonymous.get(BOOKS)
    assert outcome(anonymous.get(BOOKS)) == "hit"
    response = anonymous.get(BOOKS, **other)
    assert outcome(response) == "miss"
    if "HTTP_ACCEPT_LANGUAGE" not in other:
        assert response.json()["next"] != first.json()["next"]


@pytest.mark.parametrize("place", [f"{BOOKS}?search=emma", f"{BOOKS}?cursor=x"])
def test_searches_and_later_pages_are_not_cached(anonymous, book, place):
    anonymous.get(place)
    assert "X-Cache" not in anonymous.get(place).headers


def test_only_plain_json_is_cached(anonymous, book):
    anonymous.get(BOOKS)
    indented = anonymous.get(BOOKS, HTTP_ACCEPT="application/json; indent=4")
    assert "X-Cache" not in indented.headers
    assert b"\n    " in indented.content


def test_errors_are_not_cached(anonymous, book):
    for place, status in ((f"{BOOKS}999999/", 404), (f"{BOOKS}?year_from=x", 400), (f"{STATS}?min_ratings=0", 400)):
        assert [anonymous.get(place).status_code for _ in range(2)] == [status, status]
    assert anonymous.get(f"{BOOKS}{book.pk}/?a=1").status_code == 400


def test_production_has_no_x_cache_header(anonymous, book):
    with override_settings(DEBUG=False):
        anonymous.get(BOOKS)
        assert "X-Cache" not in anonymous.get(BOOKS).headers


def test_cached_responses_count_against_the_rate(anonymous, book, rate):
    rate("anon", 2)
    assert [anonymous.get(BOOKS).status_code for _ in range(3)] == [200, 200, 429]


def changes(book, alice, bob):
    """Every kind of change that affects a cached response, with the path that it affects."""
    own = f"{BOOKS}{book.pk}/"
    yield "book", lambda: Book.create_book(by=alice, title="Persuasion", authors=["A"]), [BOOKS, STATS]
    yield "edition", lambda: book.add_edition(isbn13="9780141439587"), [own]
    review = Review.create_review(book=book, by=bob, rating=4)
    yield "title", lambda: book.update_book(by=alice, title="Emma!"), [BOOKS, own, f"{own}reviews/"]
    yield "review", lambda: Review.create_review(book=book, by=alice, rating=9), [BOOKS, own, f"{own}stats/", STATS]
    yield "text", lambda: review.update_review(body="Hm."), [f"{own}reviews/"]
    yield "like", lambda: review.like(by=alice), [f"{own}reviews/"]
    yield "hidden", review.hide, [BOOKS, own, f"{own}stats/", f"{own}reviews/", STATS]
    yield "restored", review.restore, [BOOKS, own, f"{own}stats/", f"{own}reviews/", STATS]
    yield "name", lambda: bob.update_profile(display_name="Robert"), [f"{own}reviews/"]
    yield "removed", review.delete_review, [BOOKS, own, f"{own}stats/", f"{own}reviews/", STATS]


def test_each_change_is_in_the_next_response(anonymous, book, alice, bob):
    for name, change, places in changes(book, alice, bob):
        before = {place: anonymous.get(place).content for place in places}
        assert all(outcome(anonymous.get(place)) == "hit" for place in places), name
        change()
        for place in places:
            response = anonymous.get(place)
            assert outcome(response) == "miss", (name, place)
            assert response.content != before[place], (name, place)


def test_deleted_book_is_not_served_from_the_cache(anonymous, alice, book):
    place = f"{BOOKS}{book.pk}/"
    anonymous.get(place)
    book.delete_book()
    assert anonymous.get(place).status_code == 404


def test_leading_zeros_in_the_path_do_not_serve_stale_responses(anonymous, alice, book):
    place = f"{BOOKS}00{book.pk}/"
    anonymous.get(place)
    Review.create_review(book=book, by=alice, rating=9)
    assert anonymous.get(place).json()["ratings_count"] == 1


def test_rolled_back_change_keeps_the_cached_response(anonymous, book):
    anonymous.get(BOOKS)
    with transaction.atomic():
        Book.create_book(by=None, title="Never", authors=["A"])
        # What a transaction reads may be rolled back, so it is neither cached nor served from the cache.
        assert len(anonymous.get(BOOKS).json()["results"]) == 2
        transaction.set_rollback(True)
    response = anonymous.get(BOOKS)
    assert (outcome(response), len(response.json()["results"])) == ("hit", 1)


def test_response_built_before_a_write_is_not_cached(anonymous, alice, book, monkeypatch):
    """One request reads the rows, another one writes, and only then the first one stores its response."""
    place, keep = f"{BOOKS}{book.pk}/stats/", response_cache._store

    def write_first(*args):
        monkeypatch.setattr(response_cache, "_store", keep)
        Review.create_review(book=book, by=alice, rating=9)
        keep(*args)

    monkeypatch.setattr(response_cache, "_store", write_first)
    assert anonymous.get(place).json()["ratings_count"] == 0
    assert anonymous.get(place).json()["ratings_count"] == 1


@pytest.mark.parametrize("garbage", [7, None, {"a": 1}, ["x"], "text"])
def test_foreign_cache_value_is_a_miss(anonymous, book, garbage):
    anonymous.get(BOOKS)
    for key in keys():
        cache.set(key, garbage)
    response = anonymous.get(BOOKS)
    assert (outcome(response), response.json()["results"][0]["id"]) == ("miss", book.pk)


def keys():
    """Return the cache key of the list of books."""
    seen = []
    client, make_key = APIClient(), response_cache._key
    response_cache._key = lambda *args: seen.append(make_key(*args)) or seen[-1]
    try:
        client.get(BOOKS)
    finally:
        response_cache._key = make_key
    assert seen
    return set(seen)


def use_cache(monkeypatch, **methods):
    """Replace methods of the cache, for the middleware and for the views."""
    replaced = SimpleNamespace(**{name: getattr(cache, name) for name in ("get", "add", "set")} | methods)
    for module in (response_cache, throttling):
        monkeypatch.setattr(module, "cache", replaced)


def test_invalid_json_in_the_cache_is_a_miss(anonymous, book, monkeypatch):
    def broken(key):
        raise json.JSONDecodeError("garbage", "", 0)

    use_cache(monkeypatch, get=broken)
    assert anonymous.get(BOOKS).status_code == 200


def test_broken_cache_fails_no_request(anonymous, book, monkeypatch):
    use_cache(monkeypatch, get=lambda key: None, add=lambda *a: None, set=lambda *a: None)
    for _ in range(2):
        assert outcome(anonymous.get(BOOKS)) == "miss"


def test_waiting_request_builds_the_response_after_a_timeout(anonymous, book):
    anonymous.get(BOOKS)
    for key in keys():
        cache.delete(key)  # the request that was building it died, and left its mark
    response = anonymous.get(BOOKS)
    assert (outcome(response), response.json()["results"][0]["id"]) == ("miss", book.pk)


def test_cache_versions_differ_after_each_change():
    seen = set()
    for step in (+1, -1, +1, -1):
        counters.increment({"books": step})
        seen.add(counters.get_values([counters.TOTALS_VERSION])[counters.TOTALS_VERSION])
    assert len(seen) == 4
    assert counters.get_values(["books"]) == {"books": 0}
