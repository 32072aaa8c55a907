"""Conditional requests: ETag, If-None-Match and If-Match."""

import json

import pytest

from accounts.models import User
from catalog.models import Book
from clubs.models import Entry
from discussions.models import Thread
from reviews.models import Review
from tests.images import make_image, upload_image

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.views_for_tests")]

ME = "/api/v1/users/me/"


@pytest.fixture
def me(client_of, alice):
    return client_of(alice)


PATHS = [ME, "/api/v1/users/", "/api/v1/users/alice/", "/api/v1/auth/sessions/", "/api/v1/", "/api/v1/books/"]


@pytest.mark.parametrize("path", PATHS)
def test_get_with_current_etag_is_304(me, path):
    response = me.get(path)
    etag = response["ETag"]
    assert etag.startswith('"')
    for sent in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = me.get(path, HTTP_IF_NONE_MATCH=sent)
        assert again.status_code == 304, sent
        assert again.content == b""
        assert again["ETag"] == etag
        assert again["Cache-Control"] == response["Cache-Control"]
        assert again["Vary"] == response["Vary"]
    assert me.get(path, HTTP_IF_NONE_MATCH='"other"').status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_head_has_the_etag_of_get(me, path):
    etag = me.get(path)["ETag"]
    assert me.head(path)["ETag"] == etag
    assert me.head(path, HTTP_IF_NONE_MATCH=etag).status_code == 304


@pytest.mark.parametrize("path", ["/api/v1/nothing/", "/api/v1/users/nobody/", "/api/v1/books/?unknown=1"])
def test_error_has_no_etag(me, path):
    """It would differ on each call, because the body contains the request id."""
    assert "ETag" not in me.get(path)


def test_304_has_the_cache_control_of_the_response(anonymous):
    response = anonymous.get("/api/v1/books/")
    again = anonymous.get("/api/v1/books/", HTTP_IF_NONE_MATCH=response["ETag"])
    assert again.status_code == 304
    assert again["Cache-Control"] == response["Cache-Control"] == "public, no-cache"


def test_etag_changes_only_with_the_object(me):
    first = me.get(ME)["ETag"]
    assert me.get(ME)["ETag"] == first
    me.patch(ME, {"bio": "new"})
    assert me.get(ME)["ETag"] != first


@pytest.mark.parametrize("method", ["patch"])
def test_change_with_a_stale_etag_is_412(me, problem, method, alice):
    etag = me.get(ME)["ETag"]
    response = me.patch(ME, {"bio": "one"}, HTTP_IF_MATCH=etag)
    assert response.status_code == 200
    problem(me.patch(ME, {"bio": "two"}, HTTP_IF_MATCH=etag), 412, "precondition_failed")
    assert me.get(ME).json()["bio"] == "one"
    etag = me.get(ME)["ETag"]
    assert me.patch(ME, {"bio": "three"}, HTTP_IF_MATCH=f'"other", {etag}, "third"').status_code == 200
    assert me.patch(ME, {"bio": "four"}, HTTP_IF_MATCH="*").status_code == 200


@pytest.mark.parametrize("sent", ['W/"x"', "garbage", '""', "weak", '"unfinished', 'W/"x", "y"'])
def test_other_or_invalid_etag_is_412(me, problem, sent):
    etag = me.get(ME)["ETag"]
    problem(me.patch(ME, {"bio": "x"}, HTTP_IF_MATCH=sent), 412, "precondition_failed")
    assert me.get(ME)["ETag"] == etag


@pytest.mark.parametrize("form", ["W/{}", '"other", W/{}', 'W/{}, W/"other"', "{}"])
def test_weak_form_of_the_current_etag_is_accepted(me, problem, form):
    """A proxy that compresses responses weakens their tags."""
    etag = form.format(me.get(ME)["ETag"])
    assert me.patch(ME, {"bio": "x"}, HTTP_IF_MATCH=etag).status_code == 200
    problem(me.patch(ME, {"bio": "y"}, HTTP_IF_MATCH=etag), 412, "precondition_failed")
    assert me.get(ME, HTTP_IF_NONE_MATCH=etag).status_code == 200


def test_weak_etag_of_a_write_is_accepted(me, problem):
    written = me.patch(ME, {"bio": "x"})
    book = me.post("/api/v1/books/", {"title": "Emma", "author": "Jane Austen"})
    assert me.patch(ME, {"bio": "y"}, HTTP_IF_MATCH=f"W/{written['ETag']}").status_code == 200
    assert me.delete(book["Location"], HTTP_IF_MATCH=f"W/{book['ETag']}").status_code == 204
    problem(me.patch(ME, {"bio": "z"}, HTTP_IF_MATCH=f"W/{written['ETag']}"), 412)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("patch", "clubs/{club}/threads/{thread}/", {"title": "Mine"}, 403),
        ("delete", "clubs/{club}/threads/{thread}/", {}, 403),
        ("patch", "clubs/{club}/posts/{post}/", {"body": "Mine"}, 403),
        ("delete", "clubs/{club}/threads/{thread}/posts/{post}/", {}, 403),
        ("delete", "clubs/{club}/books/{entry}/", {}, 403),
        ("put", "reviews/{review}/", {"book": 1, "rating": 1}, 403),
        ("delete", "reviews/{review}/", {}, 403),
        ("patch", "books/{book}/", {"title": "Mine"}, 403),
        ("put", "clubs/{club}/threads/{thread}/posts/{post}/reactions/x/", {}, 412),
        ("patch", "users/me/", {"timezone": "Nowhere"}, 412),
    ],
)
def test_denied_change_with_a_stale_etag_is_403(client_of, alice, bob, club, method, path, body, status):
    """The precondition counts less than the right to change, and more than an error in the body."""
    book = Book.create_book(by=alice, title="Emma", authors=["Jane Austen"])
    entry = Entry.add_entry(club=club, book=book, by=alice)
    thread = Thread.create_thread(club=club, by=alice, title="T", body="B")
    review = Review.create_review(book=book, by=alice, rating=8)
    ids = {"club": club, "book": book, "entry": entry, "thread": thread, "review": review, "post": thread.posts.get()}
    url = f"/api/v1/{path.format(**{name: obj.pk for name, obj in ids.items()})}"
    send = getattr(client_of(bob), method)
    assert send(url, body, HTTP_IF_MATCH='"old"').status_code == status
    assert send(url, body).status_code == (status if status == 403 else 400)


def test_moderator_with_a_stale_etag_learns_of_the_rank(client_of, club, moe, alice, problem):
    """A rule of the model, which is checked last."""
    url = f"/api/v1/clubs/{club.pk}/members/{alice.pk}/"
    for method, body in (("patch", {"status": "banned"}), ("delete", {})):
        problem(getattr(client_of(moe), method)(url, body, HTTP_IF_MATCH='"old"'), 403)


def test_stale_change_that_conflicts_is_412(client_of, club, alice, problem):
    """The client should first look at what has changed."""
    url, body = f"/api/v1/clubs/{club.pk}/", {"member_limit": 2}
    problem(client_of(alice).patch(url, body), 409, "limit_below_members")
    problem(client_of(alice).patch(url, body, HTTP_IF_MATCH='"old"'), 412)


def test_stale_change_leaves_no_trace(client_of, club, bob, moe, alice):
    url, events = f"/api/v1/clubs/{club.pk}/members/{bob.pk}/", f"/api/v1/clubs/{club.pk}/activity/"
    client = client_of(moe)
    before = client.get(url).content, client.get(events).content
    assert client.patch(url, {"status": "banned"}, HTTP_IF_MATCH='"old"').status_code == 412
    assert client_of(alice).delete(f"/api/v1/clubs/{club.pk}/", HTTP_IF_MATCH='"old"').status_code == 412
    assert (client.get(url).content, client.get(events).content) == before


def test_stale_upload_is_not_stored(client_of, alice, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    response = upload_image(client_of(alice), f"{ME}avatar/", make_image(), HTTP_IF_MATCH='"old"')
    assert response.status_code == 412
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_refused_change_is_rolled_back(me, problem):
    etag = me.get(ME)["ETag"]
    problem(me.patch(ME, {"bio": "new", "timezone": "Nowhere/No"}, HTTP_IF_MATCH=etag), 400, "invalid")
    assert me.get(ME)["ETag"] == etag


def test_options_ignores_if_match(me):
    """Rows can only be locked in a transaction, and OPTIONS has none."""
    book = me.post("/api/v1/books/", {"title": "Emma", "author": "Jane Austen"}).json()["id"]
    for path in (f"{ME}avatar/", f"/api/v1/books/{book}/"):
        told = me.options(path).json()
        assert "PUT" in told["actions"]
        assert me.options(path, HTTP_IF_MATCH='"other"').json() == told


def test_delete_with_a_stale_etag_is_412(me, problem):
    # A new session, to be deleted.
    body = {"username": "alice", "password": "correct horse battery", "device": "phone"}
    me.post("/api/v1/auth/login/", body)
    phone = next(row["id"] for row in me.get("/api/v1/auth/sessions/").json()["results"] if row["device"] == "phone")
    path = f"/api/v1/auth/sessions/{phone}/"
    problem(me.delete(path, HTTP_IF_MATCH='"old"'), 412, "precondition_failed")
    problem(me.delete("/api/v1/auth/sessions/999999/", HTTP_IF_MATCH='"old"'), 404)
    assert me.delete(path, HTTP_IF_MATCH="*").status_code == 204


def test_book_supports_if_match(me, problem):
    body = {"title": "Dom Casmurro", "authors": ["Machado de Assis"]}
    path = f"/api/v1/books/{me.post('/api/v1/books/', body).json()['id']}/"
    etag = me.get(path)["ETag"]
    response = me.put(path, body | {"published_year": 1899}, HTTP_IF_MATCH=etag)
    assert response.status_code == 200, response.content
    problem(me.put(path, body | {"title": "x"}, HTTP_IF_MATCH=etag), 412)
    problem(me.patch(path, {"title": "x"}, HTTP_IF_MATCH=etag), 412)
    problem(me.delete(path, HTTP_IF_MATCH=etag), 412)
    etag = me.get(path)["ETag"]
    assert me.delete(path, HTTP_IF_MATCH=etag).status_code == 204
    problem(me.delete(path, HTTP_IF_MATCH=etag), 404)


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "deflate"])
def test_etag_with_the_suffix_of_a_proxy_is_accepted(me, encoding):
    """Caddy and Apache append the encoding to the ETag of a compressed response."""
    etag = me.get(ME)["ETag"]
    suffixed = f'{etag[:-1]}-{encoding}"'
    assert me.get(ME, HTTP_IF_NONE_MATCH=suffixed).status_code == 304
    assert me.patch(ME, {"bio": "x"}, HTTP_IF_MATCH=suffixed).status_code == 200
    assert me.patch(ME, {"bio": "y"}, HTTP_IF_MATCH=suffixed).status_code == 412
    assert me.patch(ME, {"bio": "y"}, HTTP_IF_MATCH='"other-gzip"').status_code == 412
    # The repetition of a change, and DELETE, which compares the whole ETag.
    assert me.patch(ME, {"bio": "x"}, HTTP_IF_MATCH=suffixed).status_code == 200
    book = me.post("/api/v1/books/", {"title": "Emma", "author": "Jane Austen"})
    tag = f'W/{book["ETag"][:-1]}-{encoding}"'
    assert me.delete(book["Location"], HTTP_IF_MATCH=tag).status_code == 204


def test_etag_of_indented_json_is_accepted(me):
    accept = {"HTTP_ACCEPT": "application/json; indent=2"}
    response = me.get(ME, **accept)
    json.loads(response.content)
    assert me.patch(ME, {"bio": "x"}, HTTP_IF_MATCH=response["ETag"], **accept).status_code == 200


def test_change_without_if_match_writes_only_its_columns(me, alice):
    me.patch(ME, {"bio": "x"})
    User.objects.filter(pk=alice.pk).update(display_name="Other")
    me.patch(ME, {"timezone": "Europe/Lisbon"})
    assert me.get(ME).json() | {"id": 0} == me.get(ME).json() | {"id": 0, "bio": "x", "display_name": "Other"}
