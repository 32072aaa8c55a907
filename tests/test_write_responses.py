"""Responses to writes have the ETag that the next GET has, and a new object its Location, in every app."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from tests.clubs.matrix import ROWS, World
from tests.clubs.test_matrix import call, create_world
from tests.images import make_image, upload_image
from tests.reviews.exports import GOODREADS

pytestmark = pytest.mark.django_db
V1 = "/api/v1/"
# The response is not the object: a vote, an answer, an invitation with its code, the preview of one, or a list.
OTHER_RESPONSES = {
    *("club-ballot-vote", "club-book-shift", "club-date-poll-answer", "club-invite-list", "club-member-bulk"),
    *("club-book-opinions-open", "club-member-pause", "invite-preview"),
}
# Where the object of a response without Location has its GET, if not at the same URL.
OBJECTS = {
    "club-transfer": "club-detail",
    "club-cover": "club-detail",
    "club-ballot-close": "club-ballot-detail",
    "club-date-poll-close": "club-date-poll-detail",
    "club-post-reveal": "club-post-detail",
    "club-thread-post-reveal": "club-thread-post-detail",
    "club-book-progress": "club-book-progress-mine",
    "club-book-access-lent": "club-book-access-mine",
}
# Who may write, if not the owner.
ROLES = {
    **dict.fromkeys(("club-join", "invite-accept"), "outsider"),
    **dict.fromkeys(("club-post-detail", "club-thread-post-detail"), "member"),
}
WRITES = [row for row in ROWS if row.method in ("post", "put", "patch") and row.ok not in (202, 204, 400)]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with django_db_blocker.unblock(), create_world("public") as world:
        yield world


@pytest.mark.parametrize("row", [row for row in WRITES if row.route not in {"club-leave", *OTHER_RESPONSES}], ids=str)
def test_write_in_a_club_has_the_etag_of_the_next_get(world, client_of, row):
    client = client_of(world.users[ROLES.get(row.route, "owner")])
    response = call(row, world, client)
    assert response.status_code in (200, 201), response.content
    found = client.get(location(row, world, response))
    assert found.status_code == 200, found.content
    assert response["ETag"] == found["ETag"], (response.content, found.content)


def location(row: Any, world: Any, response: Any) -> str:
    if response.status_code == 201:
        return str(response["Location"])
    path = world.resolve(row.path) | ({row.club_in: world.club.pk} if row.club_in else {})
    return reverse(OBJECTS.get(row.route, row.route), kwargs=path)


@pytest.mark.parametrize("row", [row for row in WRITES if row.route in OTHER_RESPONSES], ids=str)
def test_response_without_the_object_has_no_etag(world, client_of, row):
    response = call(row, world, client_of(world.users["owner"]))
    assert "ETag" not in response
    assert "Location" not in response


@pytest.fixture
def book(as_alice) -> str:
    return str(as_alice.post(f"{V1}books/", {"title": "Emma", "author": "Jane Austen"})["Location"])


def test_book_write_has_the_etag_of_the_next_get(as_alice, book):
    body = {"title": "Emma", "authors": ["Jane Austen"], "subjects": ["love"]}
    for write in (
        partial(as_alice.put, book, body),
        partial(as_alice.patch, book, {"isbn": "9780141439587"}),
        partial(upload_image, as_alice, f"{book}cover/", make_image()),
        partial(as_alice.post, f"{V1}books/lookup/", {"isbn": "9780141439587"}),
    ):
        response = write()
        assert response.status_code == 200, response.content
        assert response["ETag"] == as_alice.get(book)["ETag"]


@pytest.mark.parametrize("route", ["books", "reviews"])
def test_review_write_has_the_etag_of_the_next_get(as_alice, book, route):
    number = int(book.rstrip("/").rpartition("/")[2])
    url, body = (f"{book}reviews/", {}) if route == "books" else (f"{V1}reviews/", {"book": number})
    created = as_alice.post(url, {**body, "rating": 4.5, "body": "Dazzling."})
    review = created["Location"]
    assert review.endswith(f"{V1}reviews/{created.json()['id']}/")
    assert created["ETag"] == as_alice.get(review)["ETag"]
    for method, fields in (("put", {"book": number, "rating": 1}), ("patch", {"title": "T"})):
        response = getattr(as_alice, method)(review, fields)
        assert response["ETag"] == as_alice.get(review)["ETag"]


def test_account_write_has_the_etag_of_the_next_get(as_alice):
    me, settings = f"{V1}users/me/", f"{V1}users/me/notification-settings/"
    for write, path in (
        (partial(as_alice.patch, me, {"bio": "B"}), me),
        (partial(upload_image, as_alice, f"{me}avatar/", make_image()), me),
        (partial(as_alice.patch, settings, {"reply": {"app": False}}), settings),
    ):
        response = write()
        assert response.status_code == 200, response.content
        assert response["ETag"] == as_alice.get(path)["ETag"]


def test_registration_has_location_and_etag_of_the_account(anonymous, as_alice):
    response = anonymous.post(f"{V1}auth/register/", {"username": "zoe", "password": "um-bom-segredo"})
    me = anonymous.get(response["Location"], HTTP_AUTHORIZATION=f"Bearer {response.json()['access']}")
    assert me.json()["username"] == "zoe"
    assert response["ETag"] == me["ETag"]


def test_chained_writes_need_no_get_between(as_alice, book):
    etag = as_alice.get(book)["ETag"]
    for year in (1815, 1816, 1817):
        response = as_alice.patch(book, {"published_year": year}, HTTP_IF_MATCH=etag)
        assert response.status_code == 200, response.content
        etag = response["ETag"]


def test_etag_of_a_write_depends_on_the_format_as_that_of_get(as_alice):
    indented = {"HTTP_ACCEPT": "application/json; indent=2"}
    response = as_alice.patch(f"{V1}users/me/", {"bio": "B"}, **indented)
    assert response["ETag"] == as_alice.get(f"{V1}users/me/", **indented)["ETag"]
    assert response["ETag"] != as_alice.get(f"{V1}users/me/")["ETag"]


def test_replay_has_the_headers_of_the_first_response(as_alice, as_bob, book):
    club = as_alice.post(f"{V1}clubs/", {"name": "Emma"}, HTTP_IDEMPOTENCY_KEY="k")
    again = as_alice.post(f"{V1}clubs/", {"name": "Emma"}, HTTP_IDEMPOTENCY_KEY="k")
    joined, repeated = (as_bob.post(f"{club['Location']}join/", {}, HTTP_IDEMPOTENCY_KEY="j") for _ in range(2))
    for first, replayed in ((club, again), (joined, repeated)):
        assert replayed["Idempotency-Replayed"] == "true"
        assert (replayed["ETag"], replayed["Location"]) == (first["ETag"], first["Location"])


@pytest.mark.parametrize("path", ["auth/login/", "auth/refresh/", "auth/verify/"])
def test_tokens_have_no_etag(anonymous, alice, path):
    body = {"username": "alice", "password": "correct horse battery"}
    signed_in = anonymous.post(f"{V1}auth/login/", body).json()
    response = anonymous.post(f"{V1}{path}", {**body, "refresh": signed_in["refresh"], "token": signed_in["access"]})
    assert response.status_code == 200
    assert "ETag" not in response


def test_refused_write_has_no_etag(as_alice, as_bob, book):
    assert "ETag" not in as_alice.patch(book, {"title": ""})
    assert "ETag" not in as_bob.patch(book, {"title": "Mine"})
    assert "Location" not in as_alice.post(f"{V1}books/", {})


def test_started_import_has_its_location(as_alice):
    file = SimpleUploadedFile("export.csv", f"{','.join(GOODREADS)}\r\n".encode(), "text/csv")
    started = as_alice.post(f"{V1}users/me/imports/", {"source": "goodreads", "file": file}, format="multipart")
    assert started.status_code == 202
    assert started["Location"].endswith(f"{V1}users/me/imports/{started.json()['id']}/")
    assert started["ETag"] == as_alice.get(started["Location"])["ETag"]


def test_join_request_has_no_location(make_club, as_charlie):
    club = make_club(join_policy="request")
    asked = as_charlie.post(f"{V1}clubs/{club.pk}/join/", {})
    assert asked.status_code == 202
    assert "Location" not in asked
    assert "ETag" not in asked
