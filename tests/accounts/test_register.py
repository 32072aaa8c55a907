import pytest

from accounts.models import User
from tests.accounts.conftest import V1, codes, is_accepted, send
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

URL = f"{V1}auth/register/"
GOOD = {"username": "Ana.Souza", "password": "um-bom-segredo-7"}


def test_register_returns_account_and_tokens(anonymous):
    response = anonymous.post(
        URL, GOOD | {"email": "ana@example.org", "language": "pt-br", "timezone": "America/Bahia"}
    )
    assert response.status_code == 201
    own = response.json()
    assert own["access"] == own["access_token"]
    assert own["refresh"]
    assert (own["expires_in"], own["refresh_expires_in"]) == (15 * 60, 30 * 24 * 3600)
    assert own["club"] is None
    tokens = ("access", "access_token", "refresh", "expires_in", "refresh_expires_in", "club")
    assert {k: own[k] for k in own if k not in ("id", "joined_at", *tokens)} == {
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
def test_valid_usernames(anonymous, username):
    response = anonymous.post(URL, GOOD | {"username": username})
    assert response.status_code == 201
    assert response.json()["username"] == username.strip()


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
def test_invalid_usernames(anonymous, username, code):
    response = send(anonymous, "post", URL, GOOD | {"username": username})
    if code is None:  # surrounding whitespace is stripped, including line breaks
        assert response.status_code == 201
    else:
        assert code in codes(response)["username"]
        assert codes(response).keys() == {"username"}


@pytest.mark.parametrize("twin", ["jose", "Jose", "JOSE", " jose "])
def test_taken_username_is_409_in_any_case(anonymous, make_user, twin):
    make_user("jose")
    response = anonymous.post(URL, GOOD | {"username": twin})
    assert response.status_code == 409
    assert response.json()["code"] == "username_taken"
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
def test_password_validation(anonymous, password, code):
    response = send(anonymous, "post", URL, GOOD | {"password": password})
    if code:
        assert code in codes(response)["password"]
        assert not User.objects.exists()
    else:
        assert response.status_code == 201
        # All characters count, including surrounding whitespace.
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
        # Up to 190 characters, but longer after normalization.
        ("email", "a@" + "ü." * 26 + "org", "max_length"),
        ("email", "a@" + "ﷺ" * 60 + ".org", "invalid"),
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
def test_invalid_value_is_reported_for_its_field(anonymous, field, value, code):
    response = anonymous.post(URL, GOOD | {field: value})
    assert codes(response).keys() == {field}
    assert code in codes(response)[field]
    assert not User.objects.exists()


@pytest.mark.parametrize("body", [None, [], [GOOD], "text", 7, {}])
def test_invalid_body_is_400(anonymous, body):
    assert send(anonymous, "post", URL, body).status_code == 400


def test_missing_fields_are_reported(anonymous):
    assert codes(anonymous.post(URL, {})) == {"username": {"required"}, "password": {"required"}}


def test_unknown_and_protected_fields_are_ignored(anonymous):
    protected = {
        "id": 987654,
        "is_staff": True,
        "is_superuser": True,
        "email_verified": True,
        "is_active": False,
        "hat": 1,
    }
    response = anonymous.post(URL, GOOD | protected | {"email": "ana@example.org", "joined_at": "2001-01-01T00:00:00Z"})
    assert response.status_code == 201
    user = User.objects.get()
    assert (user.is_staff, user.is_superuser, user.email_verified, user.is_active) == (False, False, False, True)
    assert user.joined_at.year > 2001
    assert user.pk != 987654
    assert response.json()["id"] == user.pk


def test_blank_display_name_becomes_the_username(anonymous):
    assert anonymous.post(URL, GOOD | {"display_name": ""}).json()["display_name"] == "Ana.Souza"


def test_older_client_sends_two_fields_without_slash(anonymous):
    response = anonymous.post(URL.rstrip("/"), GOOD)
    assert response.status_code == 201
    assert is_accepted(response.json()["access_token"])


def test_register_ignores_invalid_token(anonymous):
    anonymous.credentials(HTTP_AUTHORIZATION="Bearer nonsense")
    assert anonymous.post(URL, GOOD).status_code == 201


@pytest.mark.usefixtures("immediate_emails")
def test_taken_address_is_reported_to_its_owner_only(anonymous, alice, mailoutbox):
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
    # The unverified address cannot be used to sign in.
    login = anonymous.post(f"{V1}auth/login/", {"username": "alice@example.org", "password": GOOD["password"]})
    assert login.status_code == 401
    login = anonymous.post(f"{V1}auth/login/", {"username": "alice@example.org", "password": PASSWORD})
    assert login.json()["user"]["id"] == alice.pk


def test_register_is_throttled_per_address(anonymous, rate):
    rate("register", 2)
    for n, status in enumerate((201, 201, 429)):
        response = anonymous.post(URL, GOOD | {"username": f"reader{n}"})
        assert response.status_code == status
    assert response.json()["code"] == "throttled"
    assert 1 <= int(response["Retry-After"]) <= 60
    assert anonymous.post(URL, GOOD | {"username": "reader9"}, REMOTE_ADDR="10.0.0.9").status_code == 201


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("pt-BR", "pt-BR"),
        ("pt", "pt-BR"),
        ("pt-PT,pt;q=0.9", "pt-BR"),
        ("de, pt-AO;q=0.8, en;q=0.5", "pt-BR"),
        ("en-GB", "en"),
        ("de", "en"),
        ("*", "en"),
    ],
)
def test_language_of_the_call_is_the_default(anonymous, header, language):
    response = anonymous.post(URL, GOOD, HTTP_ACCEPT_LANGUAGE=header)
    assert response.json()["language"] == language
    assert anonymous.post(URL, GOOD | {"username": "bento"}).json()["language"] == "en"


@pytest.mark.parametrize(
    ("sent", "language"),
    [
        ("pt", "pt-BR"),
        ("pt-PT", "pt-BR"),
        ("PT-ao", "pt-BR"),
        ("en-US", "en"),
        ("EN", "en"),
        ("por", "pt-BR"),
        ("eng-GB", "en"),
    ],
)
def test_language_becomes_its_nearest_match(anonymous, as_alice, sent, language):
    # It counts more than the language of the call.
    response = anonymous.post(
        URL, GOOD | {"language": sent}, HTTP_ACCEPT_LANGUAGE="pt-BR" if language == "en" else "en"
    )
    assert response.json()["language"] == language
    assert as_alice.patch("/api/v1/users/me/", {"language": sent}).json()["language"] == language


@pytest.mark.parametrize("sent", ["de", "de-BR", "p", "-pt", "pt_BR", "br", "portuguese"])
def test_language_without_a_match_is_400(anonymous, sent):
    assert codes(anonymous.post(URL, GOOD | {"language": sent})) == {"language": {"invalid_choice"}}
