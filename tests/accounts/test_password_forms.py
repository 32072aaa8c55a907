"""A password is the same however a keyboard writes it (RFC 8265), at every place that sets or checks one."""

import unicodedata

import pytest
from django.contrib.auth import hashers
from django.core.management import call_command
from django.test import Client

from accounts.management.commands.changepassword import Command
from accounts.models import User
from tests.accounts.conftest import V1, bearer, codes, token_in
from tests.staff import sign_in as sign_in_to_admin

pytestmark = pytest.mark.django_db

COMPOSED = "coração de açaí"
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)
FORMS = [COMPOSED, DECOMPOSED, COMPOSED.replace(" ", "\u00a0"), DECOMPOSED.replace(" ", "\u3000")]
NEW = "a new horse battery"


def sign_ins(post, username):
    return [post("login", username=username, password=form).status_code for form in FORMS]


@pytest.mark.parametrize("sent", FORMS, ids=ascii)
def test_registered_password_is_accepted_in_every_form(post, sent):
    assert post("register", username="dora", password=sent).status_code == 201
    assert sign_ins(post, "dora") == [200] * 4


@pytest.mark.parametrize("sent", FORMS[1:3], ids=ascii)
def test_changed_password_is_accepted_in_every_form(post, alice, client_of, sent):
    alice.change_password(sent)
    for current, new in ((COMPOSED, FORMS[3]), (DECOMPOSED, COMPOSED)):
        body = {"current_password": current, "new_password": new}
        assert client_of(User.objects.get(pk=alice.pk)).post(f"{V1}auth/password/change/", body).status_code == 204
    assert sign_ins(post, "alice") == [200] * 4


@pytest.mark.usefixtures("immediate_emails")
def test_reset_password_is_accepted_in_every_form(post, alice, mailoutbox):
    post("password/reset", email=alice.email)
    assert post("password/reset/confirm", token=token_in(mailoutbox[0]), new_password=DECOMPOSED).status_code == 204
    assert sign_ins(post, "alice") == [200] * 4


def test_account_is_deleted_with_another_form(post, sign_in, alice):
    alice.change_password(COMPOSED)
    client = bearer(sign_in("alice", DECOMPOSED)["access"])
    assert client.delete(f"{V1}users/me/", {"password": FORMS[3]}).status_code == 204


def test_password_of_the_command_is_accepted_in_every_form(post, alice, monkeypatch):
    monkeypatch.setattr(Command, "_get_pass", lambda self, prompt="": DECOMPOSED)
    call_command("changepassword", "alice", verbosity=0)
    assert sign_ins(post, "alice") == [200] * 4


@pytest.mark.parametrize("form", FORMS, ids=ascii)
def test_staff_sign_in_with_every_form(staff, form):
    staff.change_password(COMPOSED)
    assert sign_in_to_admin(Client(), "staffer", password=form).status_code == 302


@pytest.mark.parametrize("password", ["wrong", DECOMPOSED, ""], ids=ascii)
def test_staff_with_another_password_are_refused(staff, password):
    for name in ("staffer", "nobody"):
        assert sign_in_to_admin(Client(), name, password=password).status_code == 200


@pytest.mark.parametrize("stored", FORMS[1:], ids=ascii)
def test_older_hash_is_accepted_as_it_was_made(post, alice, client_of, stored):
    """Hashes were made from the password as it was sent."""
    client = client_of(alice)
    User.objects.filter(pk=alice.pk).update(password=hashers.make_password(stored))
    assert post("login", username="alice", password=stored).status_code == 200
    body = {"current_password": stored, "new_password": COMPOSED}
    assert client.post(f"{V1}auth/password/change/", body).status_code == 204
    assert sign_ins(post, "alice") == [200] * 4


@pytest.mark.parametrize("stored", FORMS[1:], ids=ascii)
def test_older_hash_is_accepted_in_every_form_after_a_login(post, alice, stored):
    """Else a password from one keyboard would never be accepted from another."""
    User.objects.filter(pk=alice.pk).update(password=hashers.make_password(stored))
    assert post("login", username="alice", password=COMPOSED).status_code == 401
    assert post("login", username="alice", password=stored).status_code == 200
    assert sign_ins(post, "alice") == [200] * 4
    assert post("login", username="alice", password="wrong").status_code == 401


@pytest.mark.parametrize("other", ["coracao de acai", "CORAÇÃO DE AÇAÍ", "coração  de açaí", "ｃoração de açaí"])
def test_other_password_stays_another(post, alice, other):
    """Neither case, accents, width nor the number of spaces is ignored."""
    alice.change_password(COMPOSED)
    assert post("login", username="alice", password=other).status_code == 401


def test_characters_of_the_normal_form_count(post):
    short, longest = unicodedata.normalize("NFD", "çãéíõúü"), unicodedata.normalize("NFD", "çã" * 64)
    assert codes(post("register", username="dora", password=short)) == {"password": {"min_length"}}
    assert post("register", username="dora", password=longest).status_code == 201
    assert post("login", username="dora", password=longest).status_code == 200
    assert codes(post("login", username="dora", password=longest + "e")) == {"password": {"max_length"}}


@pytest.mark.parametrize("password", [COMPOSED, DECOMPOSED], ids=ascii)
def test_unknown_name_hashes_as_often_as_a_wrong_password(post, alice, staff, monkeypatch, password):
    """Otherwise the time would reveal which accounts exist."""
    hashed = []
    hasher = type(hashers.get_hasher())
    original = hasher.encode
    monkeypatch.setattr(hasher, "encode", lambda *args: hashed.append(1) or original(*args))
    counts = []
    for name in ("alice", "nobody", "alice@example.org", "nobody@example.org"):
        hashed.clear()
        assert post("login", username=name, password=password).status_code == 401
        counts.append(len(hashed))
    for name in ("staffer", "nobody"):
        hashed.clear()
        assert sign_in_to_admin(Client(), name, password=password).status_code == 200
        counts.append(len(hashed))
    assert len(set(counts)) == 1
    assert counts[0] > 0
