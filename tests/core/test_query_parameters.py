"""An unknown or invalid query parameter is 400 and never ignored."""

import pytest

from catalog.models import Book
from discussions.models import Thread

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.views_for_tests")]

USERS = "/api/v1/users/"


@pytest.fixture
def me(client_of, alice):
    return client_of(alice)


@pytest.mark.parametrize(
    ("path", "field", "code"),
    [
        (f"{USERS}?nonsense=1", "nonsense", "unknown"),
        (f"{USERS}?Search=a", "Search", "unknown"),
        (f"{USERS}?search__gt=a", "search__gt", "unknown"),
        (f"{USERS}?format=json", "format", "unknown"),
        (f"{USERS}?search=a&search=b", "search", "invalid"),
        (f"{USERS}?search=%00", "search", "invalid"),
        (f"{USERS}?search=a%00b", "search", "invalid"),
        (f"{USERS}?search=%ff", "search", "invalid"),
        (f"{USERS}?search=%ED%A0%80", "search", "invalid"),
        (f"{USERS}?search=" + "a" * 201, "search", "invalid"),
        (f"{USERS}?search=%20%E2%80%8B", "search", "blank"),
        (f"{USERS}?page_size=0", "page_size", "invalid"),
        (f"{USERS}?page_size=101", "page_size", "invalid"),
        (f"{USERS}?page_size=abc", "page_size", "invalid"),
        (f"{USERS}?page_size=1e3", "page_size", "invalid"),
        (f"{USERS}?page_size=-1", "page_size", "invalid"),
        (f"{USERS}?page_size=", "page_size", "blank"),
        (f"{USERS}?page_size=%D9%A1", "page_size", "invalid"),
        (f"{USERS}?page_size=1.0", "page_size", "invalid"),
        (f"{USERS}?page_size=" + "9" * 1999, "page_size", "invalid"),
        (f"{USERS}?page_size=5&page_size=6", "page_size", "invalid"),
        (f"{USERS}?cursor=a&cursor=b", "cursor", "invalid"),
        (f"{USERS}?ordering=password", "ordering", "invalid_choice"),
        (f"{USERS}?ordering=-username", "ordering", "invalid_choice"),
        (f"{USERS}?ordering=", "ordering", "blank"),
        ("/api/v1/auth/sessions/?ordering=-id", "ordering", "unknown"),
        ("/api/v1/users/alice/?page_size=5", "page_size", "unknown"),
        ("/api/v1/users/me/?x", "x", "unknown"),
        ("/api/v1/?x=1", "x", "unknown"),
    ],
)
@pytest.mark.parametrize("method", ["get", "head"])
def test_invalid_parameter_is_400_with_its_name(me, problem, path, field, code, method):
    response = getattr(me, method)(path)
    assert response.status_code == 400
    if method == "get":
        errors = problem(response, 400, "invalid_parameter")["errors"]
        assert [(error["field"], error["code"]) for error in errors] == [(field, code)]


@pytest.mark.parametrize("path", ["users/", "books/", "clubs/", "clubs/{club}/posts/"])
def test_empty_search_box_is_no_filter(as_bob, club, alice, bob, path):
    Book.create_book(by=alice, title="Emma", authors=["Jane Austen"])
    for author in (alice, bob):
        Thread.create_thread(club=club, by=author, title="T", body="Emma")
    path = f"/api/v1/{path.format(club=club.pk)}"
    everything = as_bob.get(path, {"page_size": 1}).json()
    response = as_bob.get(path, {"search": "", "page_size": 1})
    assert response.status_code == 200, response.content
    assert response.json()["results"] == everything["results"]
    if everything["next"]:
        following = as_bob.get(response.json()["next"]).json()["results"]
        assert following == as_bob.get(everything["next"]).json()["results"]


def test_empty_search_box_leaves_other_filters(as_bob, alice):
    for year in (1815, 1817):
        Book.create_book(by=alice, title="Emma", authors=["Jane Austen"], published_year=year)
    rows = as_bob.get("/api/v1/books/?search=&year_from=1816&ordering=title").json()["results"]
    assert [row["published_year"] for row in rows] == [1817]


def test_list_without_search_rejects_an_empty_one(as_bob, problem):
    problem(as_bob.get("/api/v1/reviews/?search="), 400, "invalid_parameter")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("books/", "author"),
        ("books/", "isbn"),
        ("books/", "language"),
        ("books/", "min_rating"),
        ("books/", "year_from"),
        ("clubs/", "mine"),
        ("reviews/", "user"),
        ("reviews/", "book"),
        ("users/me/notifications/", "unread"),
        ("clubs/{club}/books/", "status"),
        ("clubs/{club}/members/", "status"),
        ("clubs/{club}/threads/", "entry"),
    ],
)
def test_other_empty_filter_is_rejected(as_bob, club, problem, path, field):
    response = as_bob.get(f"/api/v1/{path.format(club=club.pk)}?{field}=")
    errors = problem(response, 400, "invalid_parameter")["errors"]
    assert [(error["field"], error["code"]) for error in errors] == [(field, "blank")]


def test_write_with_an_unknown_parameter_is_refused(me, problem, alice):
    problem(me.patch("/api/v1/users/me/?dry_run=1", {"bio": "new"}), 400, "invalid_parameter")
    alice.refresh_from_db()
    assert alice.bio == ""


def test_missing_token_is_reported_before_parameters(anonymous, problem):
    problem(anonymous.get(f"{USERS}?nonsense=1"), 401)


def test_many_invalid_parameters_are_truncated(me, problem):
    response = me.get(USERS + "?" + "&".join("a" * 500 + f"{n}=1" for n in range(15)))
    assert len(problem(response, 400, "invalid_parameter")["errors"]) == 15
    assert len(response.content) < 5000


@pytest.mark.parametrize(
    "path",
    [USERS, "/api/v1/users/alice/", "/api/v1/users/me/", "/api/v1/auth/sessions/", "/api/v1/", "/api/v1/probe/rows/"],
)
def test_head_is_allowed_wherever_get_is(me, path):
    get, head = me.get(path), me.head(path)
    assert get.status_code == head.status_code == 200
    assert head.content == b""
    assert head["Content-Type"] == get["Content-Type"]
    assert head["Vary"] == get["Vary"]


def test_head_is_allowed_outside_the_api(anonymous):
    for path in ("/healthz", "/readyz", "/metrics", "/.well-known/jwks.json", "/api/v1/schema/", "/api/docs/"):
        assert anonymous.head(path).status_code == anonymous.get(path).status_code == 200


@pytest.mark.parametrize(
    ("query", "code"), [("nonsense=1", "unknown"), ("format=xml", "invalid"), ("format=", "blank")]
)
def test_schema_view_checks_its_parameters(anonymous, query, code):
    response = anonymous.get(f"/api/v1/schema/?{query}")
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")
    assert [error["code"] for error in response.json()["errors"]] == [code]


def test_schema_view_error_is_a_problem(anonymous):
    response = anonymous.post("/api/v1/schema/")
    assert (response.status_code, response["Content-Type"]) == (405, "application/problem+json")
    assert response.json()["code"] == "method_not_allowed"
    assert anonymous.get("/api/v1/schema/?format=yaml")["Content-Type"].startswith("application/vnd.oai.openapi")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", USERS),
        ("TRACE", "/api/v1/users/me/"),
        ("PUT", "/api/v1/users/me/"),
        ("POST", "/api/v1/users/alice/"),
        ("DELETE", "/api/v1/books/"),
        ("TRACE", "/api/v1/"),
        ("PATCH", "/api/v1/auth/login/"),
        ("BREW", "/api/v1/clubs/"),
        ("PATCH", "/api/v1/schema/"),
    ],
)
def test_method_is_refused_before_its_parameters(me, problem, method, path):
    for query in ("?nonsense=1", "?page_size=0", "?ordering=", ""):
        refused = me.generic(method, f"{path}{query}", "{}", content_type="application/json")
        problem(refused, 405, "method_not_allowed")
        assert refused["Allow"]
