"""Exchanging a refresh token: once, with a short grace, and a theft ends the sign-in."""

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
    """Let time pass for all sign-ins since their last exchange."""

    def pass_time(seconds):
        for session in AuthSession.objects.exclude(rotated_at=None):
            AuthSession.objects.filter(pk=session.pk).update(rotated_at=session.rotated_at - seconds * SECOND)

    return pass_time


def test_it_gives_the_next_pair_and_the_old_access_token_lives_on(post, alice, sign_in):
    first = sign_in("alice")
    answer = post("refresh", refresh=first["refresh"])
    assert answer.status_code == 200
    second = answer.json()
    assert second.keys() == {"access", "refresh"}
    assert second["access"] != first["access"]
    assert second["refresh"] != first["refresh"]
    assert is_accepted(first["access"])
    assert is_accepted(second["access"])
    assert post("refresh", refresh=second["refresh"]).status_code == 200
    # One row for the device, however often it refreshes.
    assert AuthSession.objects.count() == 1


def test_a_double_send_gets_the_same_successor(post, alice, sign_in, wait):
    first = sign_in("alice")
    answers = [post("refresh", refresh=first["refresh"]) for _ in range(3)]
    wait(settings.REFRESH_GRACE_SECONDS - 2)
    answers.append(post("refresh", refresh=first["refresh"]))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert post("refresh", refresh=answers[0].json()["refresh"]).status_code == 200


def test_a_spent_token_that_comes_later_ends_the_whole_sign_in(post, alice, sign_in, wait):
    first = sign_in("alice")
    other_device = sign_in("alice")
    second = post("refresh", refresh=first["refresh"]).json()
    wait(settings.REFRESH_GRACE_SECONDS + 1)
    answer = post("refresh", refresh=first["refresh"])
    assert answer.status_code == 401
    assert answer.json()["code"] == "token_reused"
    assert answer["WWW-Authenticate"] == "Bearer"
    assert not is_accepted(first["access"])
    assert not is_accepted(second["access"])
    assert post("refresh", refresh=second["refresh"]).status_code == 401
    assert AuthSession.objects.exclude(ended_at=None).get().successor == ""
    assert is_accepted(other_device["access"])


def test_the_grace_is_for_the_immediate_predecessor_only(post, alice, sign_in):
    first = sign_in("alice")
    second = post("refresh", refresh=first["refresh"]).json()
    third = post("refresh", refresh=second["refresh"]).json()
    answer = post("refresh", refresh=first["refresh"])
    assert (answer.status_code, answer.json()["code"]) == (401, "token_reused")
    assert not is_accepted(third["access"])


def test_after_a_password_change_elsewhere_it_is_over(post, alice, sign_in):
    own = sign_in("alice")
    alice.change_password("a new horse battery")
    answer = post("refresh", refresh=own["refresh"])
    assert (answer.status_code, answer.json()["code"]) == (401, "token_not_valid")
    assert not is_accepted(own["access"])


def test_a_sign_in_that_has_run_out(post, alice, sign_in):
    own = sign_in("alice")
    AuthSession.objects.update(expires_at=AuthSession.objects.get().created_at - SECOND)
    assert post("refresh", refresh=own["refresh"]).status_code == 401
    assert not is_accepted(own["access"])


def test_the_successor_is_not_readable_in_the_database(post, alice, sign_in):
    second = post("refresh", refresh=sign_in("alice")["refresh"]).json()
    session = AuthSession.objects.get()
    for column in vars(session).values():
        assert second["refresh"] not in str(column)
        assert second["access"] not in str(column)
        assert second["refresh"].split(".")[1] not in str(column)


def test_a_successor_that_can_no_longer_be_read_is_not_given(post, alice, sign_in):
    """After SECRET_KEY has been changed: no grace, and no error of the server."""
    first = sign_in("alice")
    post("refresh", refresh=first["refresh"])
    AuthSession.objects.update(successor="nonsense")
    assert post("refresh", refresh=first["refresh"]).status_code == 401


def test_an_emptied_or_dead_cache_logs_nobody_out(post, alice, sign_in, monkeypatch):
    own = sign_in("alice")
    cache.clear()
    assert is_accepted(own["access"])
    if settings.REDIS_URL:
        from django_redis import get_redis_connection
        from redis.exceptions import ConnectionError

        from bookbridge.api.redis import GuardedConnection

        get_redis_connection("default").flushdb()
        assert is_accepted(own["access"])

        def refuse(*args, **kwargs):
            raise ConnectionError

        for method in ("connect", "send_packed_command", "read_response"):
            monkeypatch.setattr(GuardedConnection, method, refuse)
    assert is_accepted(own["access"])
    assert post("refresh", refresh=own["refresh"]).status_code == 200
    assert sign_in("alice")


def test_without_a_token_or_with_what_is_none(post):
    assert post("refresh").status_code == 400
    for nonsense in ("x", "a.b.c", "ey.ey.ey", "." * 100, "é" * 20, "eyJhbGciOiJub25lIn0.e30."):
        answer = post("refresh", refresh=nonsense)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_not_valid")


def test_many_queries_a_refresh(post, alice, sign_in, django_assert_num_queries):
    own = sign_in("alice")
    # Savepoint (the transaction itself outside of tests), the locked sign-in, its account, the new ids, release.
    with django_assert_num_queries(5):
        post("refresh", refresh=own["refresh"])
