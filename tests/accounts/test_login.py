"""Signing in with a password."""

import datetime

import pytest
from django.contrib.auth.hashers import check_password, identify_hasher
from django.test import override_settings
from django.utils import timezone

from accounts.hashers import Argon2
from accounts.models import AuthSession, User
from tests.accounts.conftest import V1, bearer, codes, is_accepted, send
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["alice", "ALICE", "Alice", " alice ", "alice@example.org", "Alice@Example.ORG"])
def test_by_username_or_verified_address_in_any_case(post, alice, name):
    answer = post("login", username=name, password=PASSWORD)
    assert answer.status_code == 200
    own = answer.json()
    assert own.keys() == {"access", "refresh", "access_token", "user"}
    assert own["access"] == own["access_token"]
    assert own["user"]["id"] == alice.pk
    assert own["user"]["email_verified"] is True
    assert is_accepted(own["access"])


@pytest.mark.parametrize("name", ["alicia", "alice@example.com", "ﬀ", "ália", "", "a\u0301lice", "alice\u200b"])
def test_not_by_any_other_name(post, alice, name):
    answer = post("login", username=name, password=PASSWORD)
    assert answer.status_code == (401 if name else 400)


def test_accents_and_scripts_are_not_folded_away(post, make_user):
    make_user("j4n")
    for twin in ("ĵ4n", "ｊ４ｎ́", "j4ñ", "j4n\u0308"):
        assert post("login", username=twin, password=PASSWORD).status_code == 401


def test_not_by_an_address_that_is_only_claimed(post, make_user):
    make_user("bob", email="bob@example.org")
    assert post("login", username="bob@example.org", password=PASSWORD).status_code == 401
    assert post("login", username="bob", password=PASSWORD).status_code == 200


def test_the_same_answer_for_unknown_wrong_and_closed(post, alice, make_user):
    make_user("gone", is_active=False)
    answers = [
        post("login", username="nobody", password=PASSWORD),
        post("login", username="nobody@example.org", password=PASSWORD),
        post("login", username="alice", password="wrong horse battery"),
        post("login", username="gone", password=PASSWORD),
    ]
    for answer in answers:
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == "Bearer"
        assert answer.json() | {"request_id": ""} == answers[0].json() | {"request_id": ""}
    assert answers[0].json()["code"] == "invalid_credentials"


@pytest.mark.parametrize("name", ["nobody", "nobody@example.org", "alice", "gone", "unset"])
def test_each_try_costs_one_hash(post, alice, make_user, monkeypatch, name):
    make_user("gone", is_active=False)
    User.objects.create_user("unset", None)
    hasher = identify_hasher(alice.password)
    hashed = []
    encode = type(hasher).encode
    monkeypatch.setattr(type(hasher), "encode", lambda self, *args: hashed.append(1) or encode(self, *args))
    assert post("login", username=name, password="wrong horse battery").status_code == 401
    assert len(hashed) == 1


def test_a_suspended_reader_is_told_so_with_the_right_password_only(post, alice, sign_in):
    access = sign_in("alice")["access"]
    refresh = sign_in("alice")["refresh"]
    alice.suspended_until = timezone.now() + datetime.timedelta(days=1)
    alice.save()
    answer = post("login", username="alice", password=PASSWORD)
    assert answer.status_code == 403
    assert answer.json()["code"] == "account_suspended"
    assert post("login", username="alice", password="wrong").json()["code"] == "invalid_credentials"
    assert not is_accepted(access)
    assert post("refresh", refresh=refresh).status_code == 401
    assert post("verify", token=refresh).status_code == 401
    # It was for a time.
    alice.suspended_until = timezone.now() - datetime.timedelta(seconds=1)
    alice.save()
    assert is_accepted(access)
    assert post("login", username="alice", password=PASSWORD).status_code == 200


def test_a_closed_account_is_out_on_the_next_request(post, alice, sign_in):
    own = sign_in("alice")
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert not is_accepted(own["access"])
    assert post("refresh", refresh=own["refresh"]).status_code == 401


def test_a_deleted_account_too(post, alice, sign_in):
    own = sign_in("alice")
    alice.delete()
    assert not is_accepted(own["access"])
    assert post("refresh", refresh=own["refresh"]).status_code == 401
    assert post("verify", token=own["access"]).status_code == 401
    assert post("logout", refresh=own["refresh"]).status_code == 204


def test_the_device_is_what_the_client_calls_it_or_its_user_agent(anonymous, post, alice, sign_in):
    post("login", username="alice", password=PASSWORD, device="Alice's phone")
    body = {"username": "alice", "password": PASSWORD}
    anonymous.post(f"{V1}auth/login/", body, HTTP_USER_AGENT="Bridge/1.0 \x01\x7f" + "x" * 200)
    named, guessed = AuthSession.objects.order_by("id").values_list("device", flat=True)
    assert named == "Alice's phone"
    assert guessed.startswith("Bridge/1.0 x")
    assert len(guessed) == 100


@pytest.mark.parametrize("body", [None, [], {}, {"username": ["a"], "password": {}}, {"username": None}, "x"])
def test_a_body_that_is_no_form_is_refused(anonymous, body):
    assert send(anonymous, "post", f"{V1}auth/login/", body).status_code == 400


def test_a_password_of_129_characters_is_no_password(post, alice):
    assert codes(post("login", username="alice", password="x" * 129)) == {"password": {"max_length"}}


def test_mallory_cannot_lock_alice_out(anonymous, post, alice, rate):
    rate("login", 3)
    for status in (401, 401, 401, 429):
        assert post("login", username="alice", password="guess").status_code == status
    # Not even the right password opens from there now, under any spelling of the name.
    assert post("login", username="ALICE", password=PASSWORD).status_code == 429
    # Alice comes from elsewhere.
    body = {"username": "alice", "password": PASSWORD}
    assert anonymous.post(f"{V1}auth/login/", body, REMOTE_ADDR="10.0.0.2").status_code == 200
    # And others beside Mallory may come in.
    assert post("login", username="nobody", password="guess").status_code == 401


def test_an_address_that_tries_many_accounts_is_stopped_too(post, rate):
    rate("login", 1)
    statuses = [post("login", username=f"reader{n}", password="guess").status_code for n in range(12)]
    assert statuses == [401] * 10 + [429] * 2


def test_what_an_address_claims_of_itself_is_not_believed(anonymous, alice, rate):
    rate("login", 2)
    body = {"username": "alice", "password": "guess"}
    tries = [anonymous.post(f"{V1}auth/login/", body, HTTP_X_FORWARDED_FOR=f"10.0.0.{n}") for n in range(3)]
    assert [answer.status_code for answer in tries] == [401, 401, 429]


def test_a_refused_try_costs_no_hash(post, alice, rate, monkeypatch):
    rate("login", 1)
    post("login", username="alice", password="guess")
    monkeypatch.setattr("accounts.services.authenticate", None)
    answer = post("login", username="alice", password=PASSWORD)
    assert answer.status_code == 429
    assert answer.json()["code"] == "throttled"
    assert int(answer["Retry-After"]) >= 1


def test_a_password_that_changes_during_a_sign_in_is_asked_for_again(post, alice, monkeypatch):
    """The old password was right when it was checked; the change must end this sign-in as all others."""
    from accounts import services

    authenticate = services.authenticate

    def slow(name, password):
        user = authenticate(name, password)
        User.objects.get(pk=user.pk).change_password("a new horse battery")
        return user

    monkeypatch.setattr(services, "authenticate", slow)
    answer = post("login", username="alice", password=PASSWORD)
    assert answer.status_code == 401
    assert answer.json()["code"] == "invalid_credentials"
    assert not AuthSession.objects.exists()


@override_settings(PASSWORD_HASHERS=["accounts.hashers.Argon2", "django.contrib.auth.hashers.MD5PasswordHasher"])
def test_passwords_are_kept_with_argon2id(post, alice):
    """19 MiB, two passes, one lane; a hash from before is renewed at the next sign-in, which goes through."""
    assert alice.password.startswith("md5$")
    assert post("login", username="alice", password=PASSWORD).status_code == 200
    alice.refresh_from_db()
    assert alice.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert check_password(PASSWORD, alice.password)
    assert not Argon2().must_update(alice.password)
    assert post("login", username="alice", password=PASSWORD).status_code == 200
    assert post("login", username="alice", password=PASSWORD.upper()).status_code == 401


def test_the_settings_say_argon2():
    from bookbridge import settings

    assert settings.PASSWORD_HASHERS[0] == "accounts.hashers.Argon2"


def test_messages_follow_the_callers_language(anonymous):
    body = {"username": "nobody", "password": PASSWORD}
    english = anonymous.post(f"{V1}auth/login/", body, HTTP_ACCEPT_LANGUAGE="en").json()
    other = anonymous.post(f"{V1}auth/login/", body, HTTP_ACCEPT_LANGUAGE="pt-BR")
    assert other["Content-Language"] == "pt-br"
    assert other.json()["code"] == english["code"]


def test_last_login_is_not_written_at_each_call(alice, sign_in, django_assert_num_queries):
    access = sign_in("alice")["access"]
    # The sign-in with its account; the account as it is now.
    with django_assert_num_queries(2):
        bearer(access).get(f"{V1}users/me/")
