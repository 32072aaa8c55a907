"""The OpenAPI document matches the server's headers and error codes."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import resolve, reverse
from drf_spectacular.generators import SchemaGenerator

from activity.push.models import Device
from catalog.models import Book
from clubs.roles import DENIED_MESSAGES
from core.api.exceptions import CODES
from readings.models import Reading
from reviews.models import Review
from tests.clubs.matrix import ROWS, World
from tests.clubs.test_matrix import create_world
from tests.images import make_image

ROOT = Path(__file__).resolve().parents[1]
V1 = "/api/v1/"
WRITES = ("put", "patch", "delete")
APPS = sorted(path.parent for path in ROOT.glob("*/apps.py"))
# Raised only in the admin, which shows the message and not the code.
ADMIN_MODULES = ("moderation/decisions.py", "catalog/merges/services.py", "catalog/models/revisions.py")
ADMIN_CODES = {"already_decided", "staff_account"}
# Position of the code among the arguments.
CODE_POSITIONS = {
    **{"Conflict": 0, "PermissionDeniedProblem": 0, "ServiceUnavailable": 0},
    **{"APIProblem": 1, "InvalidFieldError": 1, "ErrorDetail": 1},
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)


def operations_with_header(document: dict[str, Any], header: str, status: str) -> set[tuple[str, str]]:
    """Return the operations that list `header`, and check that exactly these list the response `status`."""
    found = set()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if header in {p["name"] for p in operation.get("parameters", []) if p.get("in") == "header"}:
                found.add((method, re.sub(r"\{\w+\}", "{}", path)))
            assert ((method, re.sub(r"\{\w+\}", "{}", path)) in found) == (status in operation["responses"]), path
    return found


def operation(method: str, url: str) -> tuple[str, str]:
    """Return a URL as in the document, without parameter names."""
    path = re.sub(r"\(\?P<\w+>(?:[^()]|\([^()]*\))*\)|<[^>]+>", "{}", resolve(url).route)
    return method, "/" + re.sub(r"[\^$]|\\Z", "", path)


def picture() -> dict[str, Any]:
    return {"data": {"file": SimpleUploadedFile("picture.png", make_image())}, "format": "multipart"}


@pytest.fixture
def world(db: None) -> Iterator[World]:
    with create_world("public") as world:
        yield world


@pytest.mark.django_db
def test_if_match_is_documented_where_supported(document, world, client_of, make_user):
    owner, _zoe = world.users["owner"], make_user("zoe")
    client = client_of(owner)
    book = f"{V1}books/{Book.create_book(by=owner, title='Emma', authors=['Jane Austen']).pk}/"
    other = Book.create_book(by=owner, title="Persuasion", authors=["Jane Austen"])
    review = f"{V1}reviews/{Review.create_review(book=other, by=owner, rating=8).pk}/"
    session = client.get(f"{V1}auth/sessions/").json()["results"][0]["id"]
    device, _is_new = Device.register(owner.sessions.get(pk=session), kind="fcm", token="phone")
    reading = Reading.create_reading(book=other, by=owner).pk
    calls: list[tuple[str, str, dict[str, Any]]] = []
    for row in ROWS:
        if row.method in WRITES:
            here = {row.club_in: world.club.pk} if row.club_in else {}
            url = reverse(row.route, kwargs=world.resolve(row.path) | here)
            calls.append((row.method, url, picture() if row.upload else {"data": world.resolve(row.body)}))
    calls += [
        ("put", book, {"data": {"title": "Emma", "author": "J. Austen"}}),
        ("patch", book, {"data": {"title": "E"}}),
        ("put", f"{book}cover/", picture()),
        ("delete", f"{book}cover/", {}),
        ("delete", book, {}),
        ("put", f"{review}like/", {}),
        ("delete", f"{review}like/", {}),
        ("put", review, {"data": {"book": other.pk, "rating": 3}}),
        ("patch", review, {"data": {"rating": 3}}),
        ("delete", review, {}),
        ("put", f"{V1}users/zoe/block/", {}),
        ("delete", f"{V1}users/zoe/block/", {}),
        ("put", f"{V1}users/me/avatar/", picture()),
        ("delete", f"{V1}users/me/avatar/", {}),
        ("patch", f"{V1}users/me/", {"data": {"bio": "B"}}),
        ("delete", f"{V1}users/me/", {"data": {"password": "correct horse battery"}}),
        ("delete", f"{V1}users/me/calendar-token/", {}),
        ("patch", f"{V1}users/me/notification-settings/", {"data": {}}),
        ("delete", f"{V1}users/me/devices/{device.pk}/", {}),
        ("patch", f"{V1}users/me/readings/{reading}/", {"data": {"percent": 5}}),
        ("delete", f"{V1}users/me/readings/{reading}/", {}),
        ("delete", f"{V1}auth/sessions/{session}/", {}),
        ("delete", f"{V1}auth/sessions/", {}),
    ]
    refused, asked = set(), set()
    member = client_of(world.users["member"])  # who wrote the post, which the owner may not change
    for method, url, sent in calls:
        caller = member if method == "patch" and "/posts/" in url else client
        with transaction.atomic():
            response = getattr(caller, method)(url, **sent, HTTP_IF_MATCH='"another"')
            transaction.set_rollback(True)
        assert response.status_code in (200, 204, 412), (method, url, response.content)
        asked.add(operation(method, url))
        if response.status_code == 412:
            refused.add(operation(method, url))
    assert refused == operations_with_header(document, "If-Match", "412")
    assert asked == {
        (method, re.sub(r"\{\w+\}", "{}", path))
        for path, methods in document["paths"].items()
        for method in methods
        if method in WRITES
    }


def test_idempotency_key_is_documented_with_responses(document):
    named = operations_with_header(document, "Idempotency-Key", "422")
    for path, methods in document["paths"].items():
        if ("post", re.sub(r"\{\w+\}", "{}", path)) in named:
            assert "409" in methods["post"]["responses"]


@pytest.mark.django_db
def test_response_headers_are_documented(document, anonymous, as_alice):
    documented = {"ETag", "Idempotency-Replayed", "Location", "Retry-After", "WWW-Authenticate"}
    me, found = f"{V1}users/me/", as_alice.get(f"{V1}users/me/")
    found_club = as_alice.post(f"{V1}clubs/", {"name": "Emma's"}, headers={"Idempotency-Key": "k"})
    again = as_alice.post(f"{V1}clubs/", {"name": "Emma's"}, headers={"Idempotency-Key": "k"})
    invited = as_alice.post(f"{V1}clubs/{found_club.json()['id']}/invites/", {}, headers={"Idempotency-Key": "i"})
    for response, method, path in (
        (found, "get", me),
        (as_alice.get(me, headers={"If-None-Match": found["ETag"]}), "get", me),
        (anonymous.get(me), "get", me),
        (again, "post", f"{V1}clubs/"),
        (invited, "post", f"{V1}clubs/{{club_id}}/invites/"),
    ):
        responses = document["paths"][path][method]["responses"][str(response.status_code)]
        shared = document["components"]["responses"].get(responses.get("$ref", "").rpartition("/")[2], responses)
        assert documented & set(response.headers) <= set(shared.get("headers", {})), (
            method,
            path,
            response.status_code,
        )
    assert again["Idempotency-Replayed"] == "true"


def test_common_responses_are_documented(document):
    for path, methods in document["paths"].items():
        for method, details in methods.items():
            responses = set(details["responses"])
            assert {"400", "429", "default"} <= responses, path
            assert ("304" in responses) == (method == "get"), path
            assert "404" in responses or "{" not in path, path
            assert "401" in responses or not any(details.get("security", [])), path


def test_merged_book_redirect_is_documented(document):
    redirects = {
        path
        for path, methods in document["paths"].items()
        for details in methods.values()
        if "307" in details["responses"]
    }
    assert redirects == {path for path in document["paths"] if re.match(r"/api/v1/books/\{", path)}


def codes_in_source() -> Iterator[tuple[str, str]]:
    """Yield each error code in the source, with its file."""
    for path in (path for app in APPS for path in app.rglob("*.py")):
        where = str(path.relative_to(ROOT))
        if where in ADMIN_MODULES or "migrations" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                given = [arg for n, arg in enumerate(node.args) if n == CODE_POSITIONS.get(name)]
                yield from ((arg.value, where) for arg in given if isinstance(arg, ast.Constant))
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict | ast.Constant):
                names = {target.id for target in node.targets if isinstance(target, ast.Name)}
                if "default_error_messages" in names and isinstance(node.value, ast.Dict):
                    yield from ((key.value, where) for key in node.value.keys if isinstance(key, ast.Constant))
                elif "default_code" in names and isinstance(node.value, ast.Constant):
                    yield node.value.value, where
    yield from ((code, "clubs/roles.py") for code, _text in DENIED_MESSAGES.values())
    yield from ((code, "core/api/exceptions.py") for code in CODES.values())


def test_all_error_codes_are_documented(document):
    documented = set(re.findall(r"`(\w+)`", json.dumps(document, default=str)))
    found = list(codes_in_source())
    assert len(found) > 80
    # DRF's own validation codes are described together.
    undocumented = {(code, where) for code, where in found if code not in documented | ADMIN_CODES | {"min_length"}}
    assert undocumented == set()


def extra_fields_in_source() -> set[str]:
    """Return the additional members of problem responses."""
    return {
        keyword.arg
        for path in (path for app in APPS for path in app.rglob("*.py"))
        if str(path.relative_to(ROOT)) not in ADMIN_MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id in ("Conflict", "PermissionDeniedProblem", "APIProblem")
        for keyword in node.keywords
        if keyword.arg and keyword.arg not in ("errors", "headers", "detail")
    }


def test_extra_problem_fields_are_documented(document):
    problem = document["components"]["schemas"]["Problem"]
    assert extra_fields_in_source() == problem["properties"].keys() - {*problem["required"], "errors"}


@pytest.mark.django_db
def test_duplicate_isbn_response_matches_document(document, client_of, alice):
    book = {"title": "Emma", "author": "Jane Austen", "isbn": "9780141439587"}
    first = client_of(alice).post(f"{V1}books/", book)
    response = client_of(alice).post(f"{V1}books/", book).json()
    assert response["book"]["id"] == first.json()["id"]
    assert response.keys() <= document["components"]["schemas"]["Problem"]["properties"].keys()
