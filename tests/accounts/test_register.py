"""Opening an account."""

import pytest

from accounts.models import User
from tests.accounts.conftest import V1, codes, is_accepted, send
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

URL = f"{V1}auth/register/"
GOOD = {"username": "Ana.Souza", "password": "um-bom-segredo-7"}


def test_a_new_reader_gets_the_own_user_object_and_is_signed_in(anonymous):
    answer = anonymous.post(URL, GOOD | {"email": "ana@example.org", "language": "pt-br", "timezone": "America/Bahia"})
    assert answer.status_code == 201
    own = answer.json()
    assert own["access"] == own["access_token"]
    assert own["refresh"]
    assert {k: own[k] for k in own if k not in ("id", "joined_at", "access", "access_token", "refresh")} == {
        "username": "Ana.Souza",
        "email": "ana@example.org",
        "email_verified": False,
        "display_name": "Ana.Souza",
        "bio": "",
        "language": "pt-BR",
        "timezone": "America/Bahia",
        "is_staff": False,
        "avatar_url": None,
    }
    assert own["joined_at"].endswith("Z")
    anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {own['access']}")
    assert anonymous.get("/api/v1/users/me/").json()["id"] == own["id"]


@pytest.mark.parametrize(
    "username", ["abc", "a" * 30, "0-9", "J.R.R_Tolkien-1", "Admin1", "meme", "123", "x.y", "  padded  "]
)
def test_a_username_may_be(anonymous, username):
    answer = anonymous.post(URL, GOOD | {"username": username})
    assert answer.status_code == 201
    assert answer.json()["username"] == username.strip()


@pytest.mark.parametrize(
    ("username", "code"),
    [
        ("", "blank"),
        ("   ", "blank"),
        ("\u200b\u200b\u200b", "invisible"),
        (None, "null"),
        (["list"], "invalid"),
        ({"a": 1}, "invalid"),
        (True, "invalid"),
        ("ab", "invalid"),
        ("a" * 31, "max_length"),
        (".abc", "invalid"),
        ("_abc", "invalid"),
        ("-abc", "invalid"),
        ("josé", "invalid"),
        ("ĵ4n", "invalid"),
        ("ａｄｍｉｎ", "reserved"),
        ("a b", "invalid"),
        ("a@b.org", "invalid"),
        ("a/b/c", "invalid"),
        ("abc\n", None),
        ("abc\x00", "null_characters_not_allowed"),
        ("abc\ud800", "surrogate_characters_not_allowed"),
        ("٣٣٣", "invalid"),
        ("me", "reserved"),
        ("ME", "reserved"),
        ("admin", "reserved"),
        ("Admin", "reserved"),
        ("null", "reserved"),
    ],
)
def test_a_username_may_not_be(anonymous, username, code):
    answer = send(anonymous, "post", URL, GOOD | {"username": username})
    if code is None:  # the space around a name is taken off, a line break too
        assert answer.status_code == 201
    else:
        assert code in codes(answer)["username"]
        assert codes(answer).keys() == {"username"}


@pytest.mark.parametrize("twin", ["jose", "Jose", "JOSE", " jose "])
def test_a_taken_name_is_a_conflict_in_any_case(anonymous, make_user, twin):
    make_user("jose")
    answer = anonymous.post(URL, GOOD | {"username": twin})
    assert answer.status_code == 409
    assert answer.json()["code"] == "username_taken"
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "blank"),
        (None, "null"),
        ("kq7-zx", "min_length"),
        ("kq7-zxw", "min_length"),
        ("kq7-zxwv", None),
        ("kq7 zxwv ", None),
        ("kq7-" * 32, None),
        ("kq7-" * 32 + "x", "max_length"),
        ("x" * 900_000, "max_length"),
        ("        ", "blank"),
        ("\u200b" * 8, "blank"),
        ("kq7-zxwv\x00", "null_characters_not_allowed"),
        ("kq7-zxwv\ud800", "surrogate_characters_not_allowed"),
        ("password1", "password_too_common"),
        ("8315920476", "password_entirely_numeric"),
        ("ana.souza", "password_too_similar"),
        ("senha-com-ç-e-ã", None),
        ("🦊🦉🐢🦋🐝🐙🦔🐧", None),
    ],
)
def test_passwords(anonymous, password, code):
    answer = send(anonymous, "post", URL, GOOD | {"password": password})
    if code:
        assert code in codes(answer)["password"]
        assert not User.objects.exists()
    else:
        assert answer.status_code == 201
        # To the last character, the space around it included.
        again = anonymous.post(f"{V1}auth/login/", {"username": "ana.souza", "password": password})
        assert again.status_code == 200
        again = anonymous.post(f"{V1}auth/login/", {"username": "ana.souza", "password": password[:-1]})
        assert again.status_code == 401


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("email", "nobody", "invalid"),
        ("email", "a@b", "invalid"),
        ("email", "a@example.org\nBcc: b@example.org", "invalid"),
        ("email", "a" * 64 + "@" + "b" * 60 + "." + "c" * 62 + ".org", "max_length"),
        # Within 190 characters, beyond them in the form it is compared by.
        ("email", "a@" + "ﷺ" * 60 + ".org", "max_length"),
        ("email", 7, "invalid"),
        ("email", ["a@example.org"], "invalid"),
        ("language", "de", "invalid_choice"),
        ("language", "", "invalid_choice"),
        ("language", ["en"], "invalid_choice"),
        ("language", {}, "invalid_choice"),
        ("language", None, "null"),
        ("timezone", "Mars/Olympus", "invalid"),
        ("timezone", "../../etc/passwd", "invalid"),
        ("timezone", "localtime", "invalid"),
        ("timezone", "", "blank"),
        ("timezone", 3, "invalid"),
        ("display_name", "\u3164\u2800", "invisible"),
        ("display_name", "   ", "invisible"),
        ("display_name", 12, "invalid"),
        ("email", "  ", "invisible"),
        ("device", " ", "invisible"),
        ("display_name", "x" * 61, "max_length"),
        ("display_name", None, "null"),
    ],
)
def test_nonsense_is_refused_and_its_field_named(anonymous, field, value, code):
    answer = anonymous.post(URL, GOOD | {field: value})
    assert codes(answer).keys() == {field}
    assert code in codes(answer)[field]
    assert not User.objects.exists()


@pytest.mark.parametrize("body", [None, [], [GOOD], "text", 7, {}])
def test_a_body_that_is_no_form_is_refused(anonymous, body):
    assert send(anonymous, "post", URL, body).status_code == 400


def test_missing_fields_are_named(anonymous):
    assert codes(anonymous.post(URL, {})) == {"username": {"required"}, "password": {"required"}}


def test_unknown_fields_are_ignored_and_protected_ones_stay(anonymous):
    wish = {"id": 987654, "is_staff": True, "is_superuser": True, "email_verified": True, "is_active": False, "hat": 1}
    answer = anonymous.post(URL, GOOD | wish | {"email": "ana@example.org", "joined_at": "2001-01-01T00:00:00Z"})
    assert answer.status_code == 201
    user = User.objects.get()
    assert (user.is_staff, user.is_superuser, user.email_verified, user.is_active) == (False, False, False, True)
    assert user.joined_at.year > 2001
    assert user.pk != 987654
    assert answer.json()["id"] == user.pk


def test_a_blank_display_name_is_the_username(anonymous):
    assert anonymous.post(URL, GOOD | {"display_name": ""}).json()["display_name"] == "Ana.Souza"


def test_the_older_catalogue_services_client_needs_two_fields_and_no_slash(anonymous):
    answer = anonymous.post(URL.rstrip("/"), GOOD)
    assert answer.status_code == 201
    assert is_accepted(answer.json()["access_token"])


def test_a_stale_token_does_not_stand_in_the_way(anonymous):
    anonymous.credentials(HTTP_AUTHORIZATION="Bearer nonsense")
    assert anonymous.post(URL, GOOD).status_code == 201


@pytest.mark.usefixtures("mails_at_call")
def test_a_claimed_address_is_told_to_its_owner_alone(anonymous, alice, mailoutbox):
    free = anonymous.post(URL, GOOD | {"email": "free@example.org"})
    taken = anonymous.post(URL, GOOD | {"username": "mallory", "email": "ALICE@example.org"})
    assert (free.status_code, taken.status_code) == (201, 201)
    assert free.json().keys() == taken.json().keys()
    assert taken.json()["email"] == "ALICE@example.org"
    assert taken.json()["email_verified"] is free.json()["email_verified"] is False
    to_free, to_owner = mailoutbox
    assert to_free.to == ["free@example.org"]
    assert "?token=" in to_free.body
    assert to_owner.to == ["alice@example.org"]
    assert "token" not in to_owner.body
    # The claim opens nothing.
    login = anonymous.post(f"{V1}auth/login/", {"username": "alice@example.org", "password": GOOD["password"]})
    assert login.status_code == 401
    login = anonymous.post(f"{V1}auth/login/", {"username": "alice@example.org", "password": PASSWORD})
    assert login.json()["user"]["id"] == alice.pk


def test_the_rate_is_for_each_address(anonymous, rate):
    rate("register", 2)
    for n, status in enumerate((201, 201, 429)):
        answer = anonymous.post(URL, GOOD | {"username": f"reader{n}"})
        assert answer.status_code == status
    assert answer.json()["code"] == "throttled"
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert anonymous.post(URL, GOOD | {"username": "reader9"}, REMOTE_ADDR="10.0.0.9").status_code == 201
