import datetime

import pytest
from django.conf import settings
from django.core.cache import cache

from accounts.models import AuthSession
from tests.accounts.conftest import bearer, is_accepted

pytestmark = pytest.mark.django_db

SECOND = datetime.timedelta(seconds=1)


@pytest.fixture
def wait():
    # Move the last rotation of all sessions into the past.
    def pass_time(seconds):
        for session in AuthSession.objects.exclude(rotated_at=None):
            AuthSession.objects.filter(pk=session.pk).update(rotated_at=session.rotated_at - seconds * SECOND)

    return pass_time


def test_refresh_returns_new_pair_and_keeps_access_token(post, alice, sign_in):
    first = sign_in("alice")
    response = post("refresh", refresh=first["refresh"])
    assert response.status_code == 200
    second = response.json()
    assert second.keys() == {"access", "refresh", "expires_in", "refresh_expires_in"}
    assert second["access"] != first["access"]
    assert second["refresh"] != first["refresh"]
    assert is_accepted(first["access"])
    assert is_accepted(second["access"])
    assert post("refresh", refresh=second["refresh"]).status_code == 200
    # Refreshing does not add rows.
    assert AuthSession.objects.count() == 1


def test_retry_within_grace_returns_same_pair(post, alice, sign_in, wait):
    first = sign_in("alice")
    responses = [post("refresh", refresh=first["refresh"]) for _ in range(3)]
    wait(settings.REFRESH_GRACE_SECONDS - 2)
    responses.append(post("refresh", refresh=first["refresh"]))
    assert {response.status_code for response in responses} == {200}
    assert len({(response.json()["access"], response.json()["refresh"]) for response in responses}) == 1
    # What is left of the lifetimes, for a client whose clock is wrong.
    minutes = [round(response.json()["expires_in"] / 60) for response in (responses[0], responses[-1])]
    assert minutes == [15, 5]
    assert round(responses[-1].json()["refresh_expires_in"] / 60) == 30 * 24 * 60 - 10
    assert post("refresh", refresh=responses[0].json()["refresh"]).status_code == 200


def is_reused(response):
    return response.status_code == 401 and response.json()["code"] == "token_reused"


@pytest.mark.parametrize(
    "use",
    [
        lambda client: client.get("/api/v1/users/me/"),
        lambda client: client.head("/api/v1/users/me/"),
        lambda client: client.patch("/api/v1/users/me/", {"bio": "B"}),
        lambda client: client.post("/api/v1/clubs/", {"name": "Emma"}),
        lambda client: client.get("/api/v1/users/me/", HTTP_IF_NONE_MATCH="*"),
        lambda client: client.get("/api/v1/books/"),
    ],
    ids=["get", "head", "patch", "post", "304", "public"],
)
def test_use_of_new_access_token_spends_the_old_refresh_token(post, alice, sign_in, use):
    first = sign_in("alice")
    second = post("refresh", refresh=first["refresh"]).json()
    assert use(bearer(second["access"])).status_code < 400
    assert post("verify", token=first["refresh"]).status_code == 401
    assert is_reused(post("refresh", refresh=first["refresh"]))
    assert not is_accepted(second["access"])
    assert post("refresh", refresh=second["refresh"]).status_code == 401


def test_use_of_the_new_refresh_token_spends_the_old_one(post, alice, sign_in):
    first = sign_in("alice")
    second = post("refresh", refresh=first["refresh"]).json()
    assert post("refresh", refresh=second["refresh"]).status_code == 200
    assert is_reused(post("refresh", refresh=first["refresh"]))


@pytest.mark.parametrize(
    "refused",
    [
        lambda client: client.get("/api/v1/users/nobody/"),
        lambda client: client.get("/api/v1/users/me/?unknown=1"),
        lambda client: client.patch("/api/v1/users/me/", {"timezone": "Nowhere"}),
        lambda client: client.patch("/api/v1/users/me/", {"bio": "B"}, HTTP_IF_MATCH='"old"'),
        lambda client: client.put("/api/v1/users/me/", {}),
    ],
    ids=["404", "400 query", "400 body", "412", "405"],
)
def test_refused_call_does_not_use_the_new_pair(post, alice, sign_in, refused):
    first = sign_in("alice")
    second = post("refresh", refresh=first["refresh"]).json()
    assert refused(bearer(second["access"])).status_code >= 400
    assert post("refresh", refresh=first["refresh"]).json()["refresh"] == second["refresh"]


def test_verify_does_not_use_the_new_pair(post, alice, sign_in):
    first = sign_in("alice")
    second = post("refresh", refresh=first["refresh"]).json()
    for token in (second["access"], second["refresh"], first["refresh"], first["access"]):
        assert post("verify", token=token).status_code == 200
    assert post("refresh", refresh=first["refresh"]).json()["access"] == second["access"]


def test_old_access_token_does_not_use_the_new_pair(post, alice, sign_in):
    first = sign_in("alice")
    second = post("refresh", refresh=first["refresh"]).json()
    assert is_accepted(first["access"])
    assert post("refresh", refresh=first["refresh"]).json()["access"] == second["access"]


def test_only_the_first_use_of_a_pair_is_written(post, alice, sign_in, django_assert_num_queries):
    first = sign_in("alice")
    second = post("refresh", refresh=first["refresh"]).json()
    # The session with its user, and the account; at the first use, also the update of the session.
    for access, queries in ((first["access"], 2), (second["access"], 3), (second["access"], 2)):
        with django_assert_num_queries(queries):
            assert is_accepted(access)


def test_late_reuse_revokes_the_session(post, alice, sign_in, wait):
    first = sign_in("alice")
    other_device = sign_in("alice")
    second = post("refresh", refresh=first["refresh"]).json()
    wait(settings.REFRESH_GRACE_SECONDS + 1)
    response = post("refresh", refresh=first["refresh"])
    assert response.status_code == 401
    assert response.json()["code"] == "token_reused"
    assert response["WWW-Authenticate"] == "Bearer"
    assert not is_accepted(first["access"])
    assert not is_accepted(second["access"])
    assert post("refresh", refresh=second["refresh"]).status_code == 401
    assert AuthSession.objects.exclude(ended_at=None).get().grace_token_pair == ""
    assert is_accepted(other_device["access"])


def test_grace_applies_to_the_previous_token_only(post, alice, sign_in):
    first = sign_in("alice")
    second = post("refresh", refresh=first["refresh"]).json()
    third = post("refresh", refresh=second["refresh"]).json()
    response = post("refresh", refresh=first["refresh"])
    assert (response.status_code, response.json()["code"]) == (401, "token_reused")
    assert not is_accepted(third["access"])


def test_refresh_fails_after_password_change(post, alice, sign_in):
    own = sign_in("alice")
    alice.change_password("a new horse battery")
    response = post("refresh", refresh=own["refresh"])
    assert (response.status_code, response.json()["code"]) == (401, "token_not_valid")
    assert not is_accepted(own["access"])


def test_refresh_of_expired_session_fails(post, alice, sign_in):
    own = sign_in("alice")
    AuthSession.objects.update(expires_at=AuthSession.objects.get().created_at - SECOND)
    assert post("refresh", refresh=own["refresh"]).status_code == 401
    assert not is_accepted(own["access"])


def test_stored_token_pair_is_encrypted(post, alice, sign_in):
    second = post("refresh", refresh=sign_in("alice")["refresh"]).json()
    session = AuthSession.objects.get()
    for column in vars(session).values():
        assert second["refresh"] not in str(column)
        assert second["access"] not in str(column)
        assert second["refresh"].split(".")[1] not in str(column)


def test_undecryptable_token_pair_gives_401(post, alice, sign_in):
    """As after a change of SECRET_KEY."""
    first = sign_in("alice")
    post("refresh", refresh=first["refresh"])
    AuthSession.objects.update(grace_token_pair="nonsense")
    assert post("refresh", refresh=first["refresh"]).status_code == 401


def test_cache_failure_does_not_end_sessions(post, alice, sign_in, monkeypatch):
    own = sign_in("alice")
    cache.clear()
    assert is_accepted(own["access"])
    if settings.REDIS_URL:
        from django_redis import get_redis_connection
        from redis.exceptions import ConnectionError

        from core.redis import CircuitBreakerConnection

        get_redis_connection("default").flushdb()
        assert is_accepted(own["access"])

        def refuse(*args, **kwargs):
            raise ConnectionError

        for method in ("connect", "send_packed_command", "read_response"):
            monkeypatch.setattr(CircuitBreakerConnection, method, refuse)
    assert is_accepted(own["access"])
    assert post("refresh", refresh=own["refresh"]).status_code == 200
    assert sign_in("alice")


def test_refresh_with_missing_or_invalid_token(post):
    assert post("refresh").status_code == 400
    for nonsense in ("x", "a.b.c", "ey.ey.ey", "." * 100, "é" * 20, "eyJhbGciOiJub25lIn0.e30."):
        response = post("refresh", refresh=nonsense)
        assert (response.status_code, response.json()["code"]) == (401, "token_not_valid")


def test_refresh_query_count(post, alice, sign_in, django_assert_num_queries):
    own = sign_in("alice")
    # Savepoint; the locked session; its user; the update; release.
    with django_assert_num_queries(5):
        post("refresh", refresh=own["refresh"])
