"""Conditional requests: ETag, If-None-Match and If-Match."""

import json

import pytest

from accounts.models import User

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


@pytest.mark.parametrize("sent", ['W/"x"', "garbage", '""', "weak", '"unfinished'])
def test_weak_or_invalid_etag_is_412(me, problem, sent):
    etag = me.get(ME)["ETag"]
    problem(me.patch(ME, {"bio": "x"}, HTTP_IF_MATCH=sent), 412, "precondition_failed")
    problem(me.patch(ME, {"bio": "x"}, HTTP_IF_MATCH=f"W/{etag}"), 412, "precondition_failed")
    assert me.get(ME)["ETag"] == etag


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
    problem(me.put(path, body, HTTP_IF_MATCH=etag), 412)
    problem(me.patch(path, {"title": "x"}, HTTP_IF_MATCH=etag), 412)
    problem(me.delete(path, HTTP_IF_MATCH=etag), 412)
    etag = me.get(path)["ETag"]
    assert me.delete(path, HTTP_IF_MATCH=etag).status_code == 204
    problem(me.delete(path, HTTP_IF_MATCH=etag), 404)


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
