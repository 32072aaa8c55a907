import datetime
from concurrent.futures import ThreadPoolExecutor
from time import sleep

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, identify_hasher
from django.test import override_settings
from django.utils import timezone

from accounts import services
from accounts.hashers import TunedArgon2PasswordHasher
from accounts.models import AuthSession, User
from tests.accounts.conftest import V1, bearer, codes, is_accepted, send
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "name",
    [
        "alice",
        "ALICE",
        "Alice",
        " alice ",
        "ａｌｉｃｅ",
        "alice@example.org",
        "Alice@Example.ORG",
        "alice＠example．org",
    ],
)
def test_login_by_username_or_verified_address(post, alice, name):
    response = post("login", username=name, password=PASSWORD)
    assert response.status_code == 200
    own = response.json()
    assert own.keys() == {"access", "refresh", "access_token", "expires_in", "refresh_expires_in", "user"}
    assert (own["expires_in"], own["refresh_expires_in"]) == (15 * 60, 30 * 24 * 3600)
    assert own["access"] == own["access_token"]
    assert own["user"]["id"] == alice.pk
    assert own["user"]["email_verified"] is True
    assert is_accepted(own["access"])


@pytest.mark.parametrize("name", ["alicia", "alice@example.com", "ﬀ", "ália", "", "a\u0301lice", "alice\u200b"])
def test_login_with_unknown_name_fails(post, alice, name):
    response = post("login", username=name, password=PASSWORD)
    assert response.status_code == (401 if name else 400)


def test_login_distinguishes_accents_and_scripts(post, make_user):
    make_user("j4n")
    for twin in ("ĵ4n", "ｊ４ｎ́", "j4ñ", "j4n\u0308"):
        assert post("login", username=twin, password=PASSWORD).status_code == 401


def test_login_by_unverified_address_fails(post, make_user):
    make_user("bob", email="bob@example.org")
    assert post("login", username="bob@example.org", password=PASSWORD).status_code == 401
    assert post("login", username="bob", password=PASSWORD).status_code == 200


def test_login_failures_are_indistinguishable(post, alice, make_user):
    make_user("gone", is_active=False)
    responses = [
        post("login", username="nobody", password=PASSWORD),
        post("login", username="nobody@example.org", password=PASSWORD),
        post("login", username="alice", password="wrong horse battery"),
        post("login", username="gone", password=PASSWORD),
    ]
    for response in responses:
        assert response.status_code == 401
        assert response["WWW-Authenticate"] == "Bearer"
        assert response.json() | {"request_id": ""} == responses[0].json() | {"request_id": ""}
    assert responses[0].json()["code"] == "invalid_credentials"


@pytest.mark.parametrize("name", ["nobody", "nobody@example.org", "alice", "gone", "unset"])
def test_each_attempt_hashes_once(post, alice, make_user, monkeypatch, name):
    make_user("gone", is_active=False)
    User.objects.create_user("unset", None)
    hasher = identify_hasher(alice.password)
    hashed = []
    encode = type(hasher).encode
    monkeypatch.setattr(type(hasher), "encode", lambda self, *args: hashed.append(1) or encode(self, *args))
    assert post("login", username=name, password="wrong horse battery").status_code == 401
    assert len(hashed) == 1


def test_suspension_is_revealed_only_with_the_password(post, alice, sign_in):
    access = sign_in("alice")["access"]
    refresh = sign_in("alice")["refresh"]
    alice.suspended_until = timezone.now() + datetime.timedelta(days=1)
    alice.save()
    response = post("login", username="alice", password=PASSWORD)
    assert response.status_code == 403
    assert response.json()["code"] == "account_suspended"
    assert post("login", username="alice", password="wrong").json()["code"] == "invalid_credentials"
    assert not is_accepted(access)
    assert post("refresh", refresh=refresh).status_code == 401
    for token in (access, refresh):
        response = post("verify", token=token)
        assert (response.status_code, response.json()["code"]) == (401, "account_suspended")
    # The suspension has expired.
    alice.suspended_until = timezone.now() - datetime.timedelta(seconds=1)
    alice.save()
    assert is_accepted(access)
    assert post("login", username="alice", password=PASSWORD).status_code == 200


def test_deactivated_account_loses_access_at_once(post, alice, sign_in):
    own = sign_in("alice")
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert not is_accepted(own["access"])
    assert post("refresh", refresh=own["refresh"]).status_code == 401
    assert {post("verify", token=own[kind]).status_code for kind in ("access", "refresh")} == {401}


def test_deleted_account_loses_access_at_once(post, alice, sign_in):
    own = sign_in("alice")
    alice.delete()
    assert not is_accepted(own["access"])
    assert post("refresh", refresh=own["refresh"]).status_code == 401
    assert post("verify", token=own["access"]).status_code == 401
    assert post("logout", refresh=own["refresh"]).status_code == 204


def test_device_is_given_name_or_user_agent(anonymous, post, alice, sign_in):
    post("login", username="alice", password=PASSWORD, device="Alice's phone")
    body = {"username": "alice", "password": PASSWORD}
    anonymous.post(f"{V1}auth/login/", body, HTTP_USER_AGENT="Bridge/1.0 \x01\x7f" + "x" * 200)
    named, guessed = AuthSession.objects.order_by("id").values_list("device", flat=True)
    assert named == "Alice's phone"
    assert guessed.startswith("Bridge/1.0 x")
    assert len(guessed) == 100


@pytest.mark.parametrize("body", [None, [], {}, {"username": ["a"], "password": {}}, {"username": None}, "x"])
def test_invalid_body_is_400(anonymous, body):
    assert send(anonymous, "post", f"{V1}auth/login/", body).status_code == 400


def test_password_of_129_characters_is_too_long(post, alice):
    assert codes(post("login", username="alice", password="x" * 129)) == {"password": {"max_length"}}


def test_mallory_cannot_lock_alice_out(anonymous, post, alice, rate):
    rate("login", 3)
    for status in (401, 401, 401, 429):
        assert post("login", username="alice", password="guess").status_code == status
    # From this address even the correct password is throttled, in any case of the name.
    assert post("login", username="ALICE", password=PASSWORD).status_code == 429
    # Alice signs in from another address.
    body = {"username": "alice", "password": PASSWORD}
    assert anonymous.post(f"{V1}auth/login/", body, REMOTE_ADDR="10.0.0.2").status_code == 200
    # Other accounts can still sign in from Mallory's address.
    assert post("login", username="nobody", password="guess").status_code == 401


def test_address_trying_many_accounts_is_throttled(post, rate):
    rate("login", 1)
    statuses = [post("login", username=f"reader{n}", password="guess").status_code for n in range(12)]
    assert statuses == [401] * 10 + [429] * 2


def test_forwarded_for_header_is_not_trusted(anonymous, alice, rate):
    rate("login", 2)
    body = {"username": "alice", "password": "guess"}
    responses = [anonymous.post(f"{V1}auth/login/", body, HTTP_X_FORWARDED_FOR=f"10.0.0.{n}") for n in range(3)]
    assert [response.status_code for response in responses] == [401, 401, 429]


def test_throttled_attempt_is_not_hashed(post, alice, rate, monkeypatch):
    rate("login", 1)
    post("login", username="alice", password="guess")
    monkeypatch.setattr("accounts.services.authenticate", None)
    response = post("login", username="alice", password=PASSWORD)
    assert response.status_code == 429
    assert response.json()["code"] == "throttled"
    assert int(response["Retry-After"]) >= 1


def test_password_change_during_login_fails_login(post, alice, monkeypatch):
    # The old password was correct when it was checked.
    authenticate = services.authenticate

    def slow(name, password):
        user = authenticate(name, password)
        User.objects.get(pk=user.pk).change_password("a new horse battery")
        return user

    monkeypatch.setattr(services, "authenticate", slow)
    response = post("login", username="alice", password=PASSWORD)
    assert response.status_code == 401
    assert response.json()["code"] == "invalid_credentials"
    assert not AuthSession.objects.exists()


@override_settings(
    PASSWORD_HASHERS=["accounts.hashers.TunedArgon2PasswordHasher", "django.contrib.auth.hashers.MD5PasswordHasher"]
)
def test_passwords_are_hashed_with_argon2id(post, alice):
    """An older hash is upgraded at the next sign-in to 19 MiB, two passes, one lane."""
    assert alice.password.startswith("md5$")
    assert post("login", username="alice", password=PASSWORD).status_code == 200
    alice.refresh_from_db()
    assert alice.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert check_password(PASSWORD, alice.password)
    assert not TunedArgon2PasswordHasher().must_update(alice.password)
    assert post("login", username="alice", password=PASSWORD).status_code == 200
    assert post("login", username="alice", password=PASSWORD.upper()).status_code == 401


def test_simultaneous_logins_are_hashed_one_at_a_time(monkeypatch):
    """Each hash takes 19 MiB, so the threads of a process would take 150."""
    hasher, running, highest = TunedArgon2PasswordHasher(), [], []

    def record(*args):
        running.append(args)
        highest.append(len(running))
        sleep(0.01)
        running.pop()
        return "argon2$hash"

    monkeypatch.setattr(Argon2PasswordHasher, "encode", record)
    monkeypatch.setattr(Argon2PasswordHasher, "verify", record)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda n: hasher.verify(PASSWORD, str(n)) and hasher.encode(PASSWORD, str(n)), range(8)))
    assert (len(highest), max(highest)) == (16, 1)


def test_settings_use_argon2():
    from bookbridge import settings

    assert settings.PASSWORD_HASHERS[0] == "accounts.hashers.TunedArgon2PasswordHasher"


def test_messages_follow_accept_language(anonymous):
    body = {"username": "nobody", "password": PASSWORD}
    english = anonymous.post(f"{V1}auth/login/", body, HTTP_ACCEPT_LANGUAGE="en").json()
    other = anonymous.post(f"{V1}auth/login/", body, HTTP_ACCEPT_LANGUAGE="pt-BR")
    assert other["Content-Language"] == "pt-br"
    assert other.json()["code"] == english["code"]


def test_requests_do_not_write_last_login(alice, sign_in, django_assert_num_queries):
    access = sign_in("alice")["access"]
    # Session with user; the user.
    with django_assert_num_queries(2):
        bearer(access).get(f"{V1}users/me/")


@pytest.mark.parametrize("blank", ["", "   ", "\u200b", "\u00a0\u3164", "\ufe0f\u2800", "\u17b4\u17b5"], ids=ascii)
@pytest.mark.parametrize(
    ("route", "field"),
    [
        ("login", "username"),
        ("login", "password"),
        ("refresh", "refresh"),
        ("logout", "refresh"),
        ("verify", "token"),
        ("email/verify/confirm", "token"),
        ("password/reset/confirm", "token"),
    ],
)
def test_text_without_a_visible_character_is_400(post, route, field, blank):
    body = {"username": "alice", "password": PASSWORD, "new_password": PASSWORD, field: blank}
    response = post(route, **body)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]
