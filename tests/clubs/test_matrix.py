"""Every role at every route of a club, public and private, as the contract's matrix has it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLPattern

from clubs.models import Club
from tests.clubs.ballots import matrix as _ballots  # noqa: F401  adds its rows
from tests.clubs.discussions import matrix as _discussions  # noqa: F401  adds its rows
from tests.clubs.helpers import bring_in
from tests.clubs.matrix import BUILDERS, ROLES, ROWS, Row, World
from tests.clubs.meetings import matrix as _meetings  # noqa: F401  adds its rows
from tests.clubs.reading import matrix as _reading  # noqa: F401  adds its rows
from tests.pictures import made
from tests.reviews import matrix as _reviews  # noqa: F401  adds its row

NOWHERE = 10**9


@pytest.fixture
def make_world(make_user, client_of):
    """A club with somebody in each role."""

    def make(visibility):
        cast = {role: None if role == "anonymous" else make_user(f"the-{role}") for role in ROLES}
        # Founded as a public one, which is how a private club comes to have readers who ask.
        club = Club.found(by=cast["owner"], name="Night readers", join_policy="request")
        bring_in(club, cast["moderator"], role="moderator")
        bring_in(club, cast["member"])
        bring_in(club, cast["pending"], status="pending")
        bring_in(club, cast["banned"], status="banned")
        world = World(club, cast)
        for build in BUILDERS:
            build(world, make_user)
        club.change(
            by=cast["owner"], visibility=visibility, **({"join_policy": "open"} if visibility == "public" else {})
        )
        return world

    return make


def call(row: Row, world: World, client: Any, *, club: int | None = None) -> Any:
    path = world.resolve(row.path)
    if row.club_in:
        path[row.club_in] = world.club.pk if club is None else club
    # The same id of the request each time, so that answers can be compared byte for byte.
    url, send = reverse(row.route, kwargs=path), getattr(client, row.method)
    if row.upload:
        body = {"file": SimpleUploadedFile("picture.png", made())}
        return send(url, body, format="multipart", HTTP_X_REQUEST_ID="matrix-matrix")
    return send(url, world.resolve(row.body), HTTP_X_REQUEST_ID="matrix-matrix")


@pytest.mark.django_db
@pytest.mark.parametrize("visibility", ["public", "private"])
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_matrix(make_world, client_of, row, visibility):
    world = make_world(visibility)
    clients = {role: client_of(world.cast[role]) for role in ROLES}
    expected = {role: row.expected(role, private=visibility == "private") for role in ROLES}
    answered = {}
    for role in ROLES:
        with transaction.atomic():
            answered[role] = call(row, world, clients[role]).status_code
            transaction.set_rollback(True)
    assert answered == expected


@pytest.mark.django_db
@pytest.mark.parametrize("row", [row for row in ROWS if row.club_in], ids=str)
def test_a_hidden_club_answers_as_one_that_is_not_there(make_world, client_of, row):
    world = make_world("private")
    for role in ("anonymous", "outsider", "banned"):
        client = client_of(world.cast[role])
        hidden, absent = call(row, world, client), call(row, world, client, club=NOWHERE)
        assert hidden.status_code in (401, 404)
        assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content)
        assert dict(hidden.headers) == dict(absent.headers)


@pytest.mark.django_db
@pytest.mark.parametrize("row", [row for row in ROWS if row.club_in], ids=str)
def test_a_hidden_club_is_not_told_by_what_is_sent(make_world, client_of, row):
    """Bad bodies, parameters, preconditions and keys are looked at after the question whether the club is there."""
    world = make_world("private")
    client = client_of(world.cast["outsider"])
    answers = []
    for club in (world.club.pk, NOWHERE):
        path = world.resolve(row.path) | {row.club_in: club}
        send = getattr(client, row.method)
        answers.append(
            send(
                reverse(row.route, kwargs=path) + "?nonsense=1",
                None if row.method == "get" else ["nonsense"],
                HTTP_X_REQUEST_ID="matrix-matrix",
                HTTP_IF_MATCH='"nonsense"',
                HTTP_IDEMPOTENCY_KEY="nonsense" * 40,
            )
        )
    assert answers[0].status_code == 404
    assert answers[0].content == answers[1].content


def routes(patterns: Any, prefix: str = "") -> Iterator[tuple[str, str, Any]]:
    for pattern in patterns:
        here = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield here, pattern.name or "", pattern.callback
        else:
            yield from routes(pattern.url_patterns, here)


def test_every_route_of_clubs_is_in_the_table():
    found = set()
    for path, name, callback in routes(get_resolver().url_patterns):
        if not path.removeprefix("api/v1/").startswith(("clubs/", "^clubs/", "invites/")):
            continue
        view = callback.cls
        methods = getattr(callback, "actions", None) or [m for m in view.http_method_names if hasattr(view, m)]
        found |= {(name, method) for method in methods if method in view.http_method_names}
    asked = {(name, method) for name, method in found if method not in ("head", "options")}
    assert asked == {(row.route, row.method) for row in ROWS}
