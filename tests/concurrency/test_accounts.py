"""Concurrent account requests: unique usernames, single-use links, no response is a 5xx."""

import itertools
from functools import partial

import pytest
from rest_framework.test import APIClient

from accounts.models import AuthSession, EmailToken, User
from core.tasks.worker import run_pending
from tests.accounts.conftest import V1, bearer, is_accepted, token_in
from tests.concurrency.tools import ROUNDS, at_once, statuses
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)

NEW = "a new horse battery"


def call(route, **body):
    """Return an anonymous call of `auth/...`, to be made in a thread."""
    return partial(APIClient().post, f"{V1}auth/{route}/", body)


def sign_in(password=PASSWORD):
    response = call("login", username="alice", password=password)()
    assert response.status_code == 200
    return response.json()


def links(mailoutbox):
    """Run due tasks in four workers and return the tokens sent by e-mail."""
    at_once([run_pending] * 4)
    return [token_in(message) for message in mailoutbox if "?token=" in message.body]


def test_simultaneous_registrations_create_one_username():
    for n in range(ROUNDS):
        names = [f"Jose{n}", f"jose{n}", f"JOSE{n}"] * 5
        answers = at_once([call("register", username=name, password=NEW) for name in names])
        assert statuses(answers) == {201: 1, 409: 14}
        assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"username_taken"}
        assert User.objects.with_username(f"jose{n}").count() == 1


def test_email_address_is_verified_by_one_account(mailoutbox):
    responses = at_once(
        [call("register", username=f"reader{n}", password=NEW, email="one@example.org") for n in range(12)]
    )
    assert statuses(responses) == {201: 12}
    tokens = links(mailoutbox)
    responses = at_once([call("email/verify/confirm", token=token) for token in tokens])
    assert statuses(responses) == {204: 1, 409: 11}
    assert {response.json()["code"] for response in responses if response.status_code == 409} == {"email_taken"}
    assert User.objects.filter(email_verified=True).count() == 1


def test_simultaneous_refreshes_give_one_token_pair(alice):
    token = sign_in()["refresh"]
    for _round in range(ROUNDS):
        responses = at_once([call("refresh", refresh=token)] * 16)
        assert statuses(responses) == {200: 16}
        assert len({(response.json()["access"], response.json()["refresh"]) for response in responses}) == 1
        pair = responses[0].json()
        assert pair["refresh"] != token
        assert is_accepted(pair["access"])
        token = pair["refresh"]
    assert AuthSession.objects.count() == 1


def test_refresh_during_logout_is_revoked(alice):
    for _round in range(ROUNDS):
        own = sign_in()
        calls = [call("refresh", refresh=own["refresh"])] * 7 + [call("logout", refresh=own["refresh"])]
        *refreshes, out = at_once(calls)
        assert statuses([out]) == {204: 1}
        assert statuses(refreshes).keys() <= {200, 401}
        for response in refreshes:
            if response.status_code == 200:
                assert not is_accepted(response.json()["access"])
                assert call("verify", token=response.json()["refresh"])().status_code == 401


def test_password_change_revokes_simultaneous_sessions(alice):
    passwords = itertools.cycle([NEW, PASSWORD])
    old = PASSWORD
    for _round in range(ROUNDS):
        new = next(passwords)
        here, there = sign_in(old), sign_in(old)
        change = partial(
            bearer(here["access"]).post, f"{V1}auth/password/change/", {"current_password": old, "new_password": new}
        )
        calls = [call("login", username="alice", password=old)] * 5 + [call("refresh", refresh=there["refresh"])] * 3
        changed, *responses = at_once([change, *calls])
        assert statuses([changed]) == {204: 1}
        assert statuses(responses).keys() <= {200, 401}
        for response in responses:
            if response.status_code == 200:
                assert not is_accepted(response.json()["access"])
        assert is_accepted(here["access"])
        assert AuthSession.objects.active().count() == 1
        AuthSession.objects.active().revoke()
        old = new


def test_simultaneous_password_changes_allow_one(alice):
    """The other requests contain a password that is no longer valid."""
    url, current = f"{V1}auth/password/change/", PASSWORD
    for n in range(ROUNDS):
        here = sign_in(current)
        news = [f"{NEW} {n} {i}" for i in range(8)]
        bodies = [{"current_password": current, "new_password": new} for new in news]
        responses = at_once([partial(bearer(here["access"]).post, url, body) for body in bodies])
        assert statuses(responses) == {204: 1, 400: 7}
        [current] = [new for new, response in zip(news, responses, strict=True) if response.status_code == 204]
        assert User.objects.get(pk=alice.pk).check_password(current)


def test_reset_link_works_once(alice, mailoutbox):
    for n in range(ROUNDS):
        mailoutbox.clear()
        call("password/reset", email="alice@example.org")()
        [token] = links(mailoutbox)
        responses = at_once(
            [call("password/reset/confirm", token=token, new_password=f"{NEW} {n} {i}") for i in range(10)]
        )
        assert statuses(responses) == {204: 1, 400: 9}
        assert {response.json()["code"] for response in responses if response.status_code == 400} == {"invalid_token"}
        winner = [response.status_code for response in responses].index(204)
        alice.refresh_from_db()
        assert alice.check_password(f"{NEW} {n} {winner}")


def test_simultaneous_reset_requests_leave_one_valid_link(alice, mailoutbox, caplog):
    for _round in range(5):
        mailoutbox.clear()
        EmailToken.objects.all().delete()
        assert statuses(at_once([call("password/reset", email="alice@example.org")] * 16)) == {202: 16}
        tokens = links(mailoutbox)
        assert len(tokens) == 16
        assert not [record for record in caplog.records if record.name == "bookbridge.tasks"]
        assert EmailToken.objects.count() == 1
        responses = [call("password/reset/confirm", token=token, new_password=NEW)() for token in tokens]
        assert statuses(responses) == {204: 1, 400: 15}


def test_login_rate_limit_is_exact(alice, rate):
    rate("login", 10)
    responses = at_once([call("login", username="alice", password="guess")] * 40)
    assert statuses(responses) == {401: 10, 429: 30}


def test_simultaneous_updates_of_different_fields_are_saved(alice):
    access = sign_in()["access"]
    fields = {"bio": "a", "display_name": "b", "language": "pt-BR", "timezone": "America/Bahia"}
    for n in range(5):
        wanted = fields | {"bio": f"bio {n}", "display_name": f"name {n}"}
        calls = [partial(bearer(access).patch, f"{V1}users/me/", {field: wanted[field]}) for field in wanted] * 4
        assert statuses(at_once(calls)) == {200: 16}
        own = bearer(access).get(f"{V1}users/me/").json()
        assert {field: own[field] for field in wanted} == wanted


def test_simultaneous_conditional_updates_allow_one(alice):
    access = sign_in()["access"]
    for n in range(ROUNDS):
        etag = bearer(access).get(f"{V1}users/me/")["ETag"]
        responses = at_once(
            [partial(bearer(access).patch, f"{V1}users/me/", {"bio": f"{n} {i}"}, HTTP_IF_MATCH=etag) for i in range(8)]
        )
        assert statuses(responses) == {200: 1, 412: 7}
