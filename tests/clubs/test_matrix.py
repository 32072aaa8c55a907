"""Every action below `clubs/{id}/` in every role, in a public and in a private club. Each app adds its rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLPattern

from accounts.models import User
from clubs.models import Club
from tests.availability import matrix as _availability  # noqa: F401  adds its rows
from tests.ballots import matrix as _ballots  # noqa: F401  adds its rows
from tests.clubs.helpers import bring_in
from tests.clubs.matrix import BUILDERS, ROLES, ROWS, Row, World
from tests.clubs.reading import matrix as _reading  # noqa: F401  adds its rows
from tests.conftest import client_of
from tests.discussions import matrix as _discussions  # noqa: F401  adds its rows
from tests.images import make_image
from tests.meetings import matrix as _meetings  # noqa: F401  adds its rows
from tests.meetings.date_polls import matrix as _date_polls  # noqa: F401  adds its rows
from tests.opinions import matrix as _opinions  # noqa: F401  adds its rows
from tests.reviews import matrix as _reviews  # noqa: F401  adds its row

MISSING_ID = 10**9


@contextmanager
def create_world(visibility: str) -> Iterator[World]:
    """Create a club with a user in each role, within a transaction that is rolled back at the end."""
    make_user = User.objects.create_user
    with transaction.atomic():
        users = {role: None if role == "anonymous" else make_user(f"the-{role}") for role in ROLES}
        # Created as a public club, because private ones accept no join requests.
        club = Club.create_club(by=users["owner"], name="Night readers", join_policy="request")
        bring_in(club, users["moderator"], role="moderator")
        bring_in(club, users["member"])
        bring_in(club, users["pending"], status="pending")
        bring_in(club, users["banned"], status="banned")
        world = World(club, users, {role: client_of(user) for role, user in users.items()})
        for build in BUILDERS:
            build(world, make_user)
        club.update_club(
            by=users["owner"], visibility=visibility, **({"join_policy": "open"} if visibility == "public" else {})
        )
        yield world
        transaction.set_rollback(True)


# Created once for the module, since this takes longer than the requests of a test.
@pytest.fixture(scope="module", params=["private", "public"])
def world(request: Any, django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with django_db_blocker.unblock(), create_world(request.param) as world:
        yield world


def call(row: Row, world: World, client: Any, *, club: int | None = None, **headers: str) -> Any:
    path = world.resolve(row.path)
    if row.club_in:
        path[row.club_in] = world.club.pk if club is None else club
    # A fixed request id, so that responses can be compared byte for byte.
    url, send = reverse(row.route, kwargs=path), getattr(client, row.method)
    if row.upload:
        body = {"file": SimpleUploadedFile("picture.png", make_image())}
        return send(url, body, format="multipart", HTTP_X_REQUEST_ID="matrix-matrix", **headers)
    return send(url, world.resolve(row.body), HTTP_X_REQUEST_ID="matrix-matrix", **headers)


@pytest.mark.django_db
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_status_for_each_role_matches_the_matrix(world, row):
    expected = {role: row.expected(role, private=world.club.is_private) for role in ROLES}
    statuses = {}
    for role in ROLES:
        with transaction.atomic():
            statuses[role] = call(row, world, world.clients[role]).status_code
            transaction.set_rollback(True)
    assert statuses == expected
    # Who may not do it learns that, and not that the object has changed.
    for role in (role for role in ROLES if row.method in ("put", "patch", "delete") and expected[role] >= 400):
        assert call(row, world, world.clients[role], HTTP_IF_MATCH='"old"').status_code == expected[role], role


@pytest.mark.django_db
@pytest.mark.parametrize("world", ["private"], indirect=True)
@pytest.mark.parametrize("row", [row for row in ROWS if row.club_in], ids=str)
def test_private_club_answers_like_a_missing_one(world, row):
    for role in ("anonymous", "outsider", "banned"):
        client = world.clients[role]
        hidden, absent = call(row, world, client), call(row, world, client, club=MISSING_ID)
        assert hidden.status_code in (401, 404)
        assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content)
        assert dict(hidden.headers) == dict(absent.headers)


@pytest.mark.django_db
@pytest.mark.parametrize("world", ["private"], indirect=True)
@pytest.mark.parametrize("row", [row for row in ROWS if row.club_in], ids=str)
def test_private_club_is_not_revealed_by_validation(world, row):
    """Bodies, parameters, preconditions and keys must be validated after the access check."""
    client = world.clients["outsider"]
    responses = []
    for club in (world.club.pk, MISSING_ID):
        path = world.resolve(row.path) | {row.club_in: club}
        send = getattr(client, row.method)
        responses.append(
            send(
                reverse(row.route, kwargs=path) + "?nonsense=1",
                None if row.method == "get" else ["nonsense"],
                HTTP_X_REQUEST_ID="matrix-matrix",
                HTTP_IF_MATCH='"nonsense"',
                HTTP_IDEMPOTENCY_KEY="nonsense" * 40,
            )
        )
    assert responses[0].status_code == 404
    assert responses[0].content == responses[1].content


def routes(patterns: Any, prefix: str = "") -> Iterator[tuple[str, str, Any]]:
    for pattern in patterns:
        here = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield here, pattern.name or "", pattern.callback
        else:
            yield from routes(pattern.url_patterns, here)


def test_every_club_route_is_in_the_matrix():
    found = set()
    for path, name, callback in routes(get_resolver().url_patterns):
        # Pages of links are no views of the API.
        is_page = not hasattr(callback, "cls")
        if is_page or not path.removeprefix("api/v1/").startswith(("clubs/", "^clubs/", "invites/")):
            continue
        view = callback.cls
        methods = getattr(callback, "actions", None) or [m for m in view.http_method_names if hasattr(view, m)]
        found |= {(name, method) for method in methods if method in view.http_method_names}
    tested = {(name, method) for name, method in found if method not in ("head", "options")}
    assert tested == {(row.route, row.method) for row in ROWS}
