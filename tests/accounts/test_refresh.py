import datetime

import pytest
from django.conf import settings
from django.core.cache import cache

from accounts.models import AuthSession
from tests.accounts.conftest import is_accepted

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
    assert second.keys() == {"access", "refresh"}
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
    assert len({response.content for response in responses}) == 1
    assert post("refresh", refresh=responses[0].json()["refresh"]).status_code == 200


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
