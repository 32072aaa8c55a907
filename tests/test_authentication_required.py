"""Every route under `/api/v1/` requires authentication, unless it is listed as public."""

import re
from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

METHODS = ("get", "post", "put", "patch", "delete")

# Route -> methods that do not require authentication.
PUBLIC = {
    "": {"get"},
    "schema/": {"get"},
    "auth/register/": {"post"},
    "auth/login/": {"post"},
    "auth/refresh/": {"post"},
    "auth/verify/": {"post"},
    "auth/logout/": {"post"},
    "auth/password/reset/": {"post"},
    "auth/password/reset/confirm/": {"post"},
    "auth/email/verify/confirm/": {"post"},
    "invites/preview/": {"post"},
    "books/": {"get"},
    "books/{}/": {"get"},
    "books/{}/stats/": {"get"},
    "books/{}/reviews/": {"get"},
    "notifications/unsubscribe/": {"post"},
    "push/vapid-key/": {"get"},
    "reviews/": {"get"},
    "reviews/{}/": {"get"},
    "clubs/": {"get"},
    "clubs/{}/": {"get"},
    "clubs/{}/books/": {"get"},
    "clubs/{}/books/{}/": {"get"},
    "clubs/{}/books/{}/milestones/": {"get"},
    "clubs/{}/books/{}/milestones/{}/": {"get"},
    "clubs/{}/meetings/": {"get"},
    "clubs/{}/meetings/{}/": {"get"},
    "clubs/{}/reviews/": {"get"},
    "clubs/{}/stats/": {"get"},
    "stats/": {"get"},
    "users/me/calendar.ics": {"get"},
}


def routes(patterns=None, prefix: str = "") -> Iterator[tuple[str, set[str]]]:
    """Yield each route with its methods."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            view = pattern.callback
            actions = getattr(view, "actions", None)
            offered = set(actions) if actions else {m for m in METHODS if hasattr(getattr(view, "cls", None), m)}
            allowed = getattr(view, "initkwargs", {}).get("http_method_names") or getattr(
                getattr(view, "cls", None), "http_method_names", METHODS
            )
            yield normalize(path), offered & set(METHODS) & set(allowed)


def normalize(path: str) -> str:
    """Return `^books/(?P<pk>\\d+)/$` and `books/<int:pk>/` as `books/{}/`."""
    path = re.sub(r"\(\?P<\w+>(?:[^()]|\([^()]*\))*\)", "{}", path)
    return re.sub(r"<[^>]+>", "{}", path).replace("^", "").replace("$", "").replace("\\Z", "")


def api_routes() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path, methods in routes():
        if path.startswith("api/v1/"):
            found.setdefault(path.removeprefix("api/v1/"), set()).update(methods)
    return found


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("route", "method"), sorted((route, method) for route, methods in api_routes().items() for method in methods)
)
def test_route_requires_authentication_unless_public(anonymous, route, method):
    response = getattr(anonymous, method)("/api/v1/" + route.replace("{}", "999999"), {})
    if method in PUBLIC.get(route, ()):
        assert response.status_code != 401 or route.startswith("auth/"), response.content
    else:
        assert response.status_code == 401, response.content
        assert response["WWW-Authenticate"] == "Bearer"
        assert response["Content-Type"] == "application/problem+json"


@pytest.mark.django_db
@pytest.mark.parametrize("route", sorted(api_routes()))
def test_options_request_succeeds(client_of, alice, route):
    response = client_of(alice).options("/api/v1/" + route.replace("{}", "999999"))
    assert response.status_code in (200, 404), response.content


def test_all_public_routes_exist():
    found = api_routes()
    clubs_exist = "clubs/" in found
    missing = {route for route in PUBLIC if not PUBLIC[route] <= found.get(route, set())}
    assert not {route for route in missing if clubs_exist or not route.startswith("clubs/")}


def test_root_redirects_to_documentation(anonymous):
    response = anonymous.get("/")
    assert (response.status_code, response["Location"]) == (302, "/api/docs/")


def test_api_root_links_work(anonymous, client_of, alice):
    addresses = anonymous.get("/api/v1/").json()
    assert {"books", "clubs", "reviews", "stats", "users", "me", "notifications"} <= addresses.keys()
    assert {client_of(alice).get(address).status_code for address in addresses.values()} == {200}
