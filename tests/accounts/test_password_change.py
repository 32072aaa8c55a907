import pytest

from accounts.models import AuthSession, EmailToken, User
from tests.accounts.conftest import V1, bearer, codes, is_accepted, send
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

URL = f"{V1}auth/password/change/"
NEW = "a new horse battery"


def test_password_change_revokes_other_sessions(post, alice, bob, sign_in):
    here, there, bobs = sign_in("alice"), sign_in("alice"), sign_in("bob")
    response = bearer(here["access"]).post(URL, {"current_password": PASSWORD, "new_password": NEW})
    assert (response.status_code, response.content) == (204, b"")
    assert is_accepted(here["access"])
    assert not is_accepted(there["access"])
    assert is_accepted(bobs["access"])
    assert post("refresh", refresh=there["refresh"]).status_code == 401
    assert post("refresh", refresh=here["refresh"]).status_code == 200
    assert post("login", username="alice", password=PASSWORD).status_code == 401
    assert sign_in("alice", NEW)


def test_wrong_password_changes_nothing(alice, sign_in):
    here, there = sign_in("alice"), sign_in("alice")
    response = bearer(here["access"]).post(URL, {"current_password": "wrong", "new_password": NEW})
    assert codes(response) == {"current_password": {"wrong_password"}}
    assert is_accepted(there["access"])
    assert sign_in("alice")


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("kq7-zxw", "min_length"),
        ("kq7-" * 32 + "x", "max_length"),
        ("        ", "blank"),
        ("password1", "password_too_common"),
        ("8315920476", "password_entirely_numeric"),
        ("alice@example", "password_too_similar"),
        ("kq7-zxwv\x00", "null_characters_not_allowed"),
        (None, "null"),
        ("", "blank"),
    ],
)
def test_new_password_is_validated(alice, client_of, password, code):
    response = client_of(alice).post(URL, {"current_password": PASSWORD, "new_password": password})
    assert codes(response).keys() == {"new_password"}
    assert code in codes(response)["new_password"]
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.parametrize("body", [None, [], {}, "x", {"current_password": 7, "new_password": [NEW]}])
def test_invalid_body_is_400(alice, client_of, body):
    assert send(client_of(alice), "post", URL, body).status_code == 400


def test_only_the_password_is_saved(alice, client_of):
    client = client_of(alice)
    with_counter = User.objects.filter(pk=alice.pk)
    alice.refresh_from_db()
    with_counter.update(reviews_count=5)
    alice.change_password(NEW)
    assert with_counter.get().reviews_count == 5
    assert client.get(f"{V1}users/me/").status_code == 401


def test_password_change_requires_authentication(anonymous):
    assert anonymous.post(URL, {"current_password": PASSWORD, "new_password": NEW}).status_code == 401


def test_password_change_is_throttled_per_user(alice, bob, client_of, rate):
    rate("login", 2)
    guess = {"current_password": "wrong", "new_password": NEW, "username": "x"}
    client, neighbour = client_of(alice), client_of(bob)
    assert [client.post(URL, guess | {"username": str(n)}).status_code for n in range(3)] == [400, 400, 429]
    assert neighbour.post(URL, {"current_password": PASSWORD, "new_password": NEW}).status_code == 204


@pytest.mark.usefixtures("immediate_emails")
def test_password_change_invalidates_email_tokens(alice, client_of, post):
    """An attacker with the old password may have requested a new address; the new password must prevent that."""
    client = client_of(alice)
    body = {"email": "m@example.org", "current_password": PASSWORD}
    assert client.post(f"{V1}auth/email/change/", body).status_code == 202
    assert post("password/reset", email="alice@example.org").status_code == 202
    assert EmailToken.objects.count() == 2
    assert client.post(URL, {"current_password": PASSWORD, "new_password": NEW}).status_code == 204
    assert not EmailToken.objects.exists()


def test_retry_with_idempotency_key_is_replayed(alice, client_of):
    client = client_of(alice)
    body = {"current_password": PASSWORD, "new_password": NEW}
    first = client.post(URL, body, HTTP_IDEMPOTENCY_KEY="k1")
    again = client.post(URL, body, HTTP_IDEMPOTENCY_KEY="k1")
    assert (first.status_code, again.status_code) == (204, 204)
    assert again["Idempotency-Replayed"] == "true"
    assert AuthSession.objects.active().count() == 1
