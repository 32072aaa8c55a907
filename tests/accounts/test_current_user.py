import pytest

from accounts.models import User
from tests.accounts.conftest import V1, codes, send

pytestmark = pytest.mark.django_db

URL = f"{V1}users/me/"
FIELDS = {
    "id", "username", "email", "email_verified", "display_name", "bio", "language", "timezone", "joined_at",
    "is_staff", "avatar_url",
}  # fmt: skip


@pytest.fixture
def client(alice, client_of):
    return client_of(alice)


def test_get_account(client, alice):
    response = client.get(URL)
    assert response.status_code == 200
    assert response.json().keys() == FIELDS
    assert response.json()["id"] == alice.pk
    assert response["Cache-Control"] == "private, no-cache"
    head = client.head(URL)
    assert (head.status_code, head.content) == (200, b"")
    assert client.get(URL, HTTP_IF_NONE_MATCH=response["ETag"]).status_code == 304


def test_update_account(client):
    change = {"display_name": " Alícia ", "bio": "Reads.\nA lot.", "language": "PT-br", "timezone": "America/Sao_Paulo"}
    response = client.patch(URL, change)
    assert response.status_code == 200
    own = response.json()
    assert own.keys() == FIELDS
    assert (own["display_name"], own["bio"]) == ("Alícia", "Reads.\nA lot.")
    assert (own["language"], own["timezone"]) == ("pt-BR", "America/Sao_Paulo")
    assert client.get(URL).json() == own
    assert client.patch(URL, {"bio": ""}).json() == own | {"bio": ""}
    assert client.patch(URL, {}).json() == own | {"bio": ""}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("display_name", "   ", "invisible"),
        ("bio", "   ", "invisible"),
        ("bio", 12, "invalid"),
        ("display_name", "\u200b\u3164", "invisible"),
        ("display_name", None, "null"),
        ("display_name", "x" * 61, "max_length"),
        ("display_name", "a\x00b", "null_characters_not_allowed"),
        ("display_name", "a\udfffb", "surrogate_characters_not_allowed"),
        ("display_name", ["a"], "invalid"),
        ("bio", "\u200d", "invisible"),
        ("bio", None, "null"),
        ("bio", "x" * 1001, "max_length"),
        ("language", "fr", "invalid_choice"),
        ("language", None, "null"),
        ("timezone", "Nowhere", "invalid"),
        ("timezone", "america/sao_paulo", "invalid"),
        ("timezone", "UTC\x00", "invalid"),
    ],
)
def test_invalid_value_changes_nothing(client, field, value, code):
    before = client.get(URL).json()
    response = send(client, "patch", URL, {"bio": "new", field: value})
    assert codes(response).keys() == {field}
    assert code in codes(response)[field]
    assert client.get(URL).json() == before


@pytest.mark.parametrize("body", [None, [], [{"bio": "x"}], "x", 7, True])
def test_body_that_is_not_an_object_is_400(client, body):
    response = send(client, "patch", URL, body)
    assert response.status_code == 400
    assert response.json()["code"] == "invalid"


def test_empty_display_name_becomes_the_username(client):
    client.patch(URL, {"display_name": "Alice in Wonderland"})
    assert client.patch(URL, {"display_name": ""}).json()["display_name"] == "alice"
    assert client.get(URL).json()["display_name"] == "alice"


def test_unknown_and_read_only_fields_are_ignored(client, alice):
    before = client.get(URL).json()
    body = {
        "id": 7, "username": "root", "email": "x@example.org", "email_verified": False, "is_staff": True,
        "is_superuser": True, "is_active": False, "joined_at": "2001-01-01T00:00:00Z", "password": "x" * 20,
        "reviews_count": 99, "suspended_until": "2001-01-01T00:00:00Z", "avatar_url": "http://x/", "hat": "red",
        "username_key": "root", "search_text": "qqroot", "groups": [1],
    }  # fmt: skip
    response = client.patch(URL, body)
    assert response.status_code == 200
    assert response.json() == before
    stored = User.objects.get(pk=alice.pk)
    assert (stored.password, stored.is_superuser, stored.reviews_count) == (alice.password, False, 0)


def test_concurrent_updates_of_different_fields_are_kept(client, alice):
    stale = User.objects.get(pk=alice.pk)
    client.patch(URL, {"bio": "from the phone"})
    stale.update_profile(display_name="From the laptop")
    own = client.get(URL).json()
    assert (own["bio"], own["display_name"]) == ("from the phone", "From the laptop")


def test_conditional_update(client):
    etag = client.get(URL)["ETag"]
    response = client.patch(URL, {"bio": "one"}, HTTP_IF_MATCH=etag)
    assert response.status_code == 200
    response = client.patch(URL, {"bio": "two"}, HTTP_IF_MATCH=etag)
    assert (response.status_code, response.json()["code"]) == (412, "precondition_failed")
    assert client.get(URL).json()["bio"] == "one"
    assert client.patch(URL, {"bio": "three"}, HTTP_IF_MATCH="*").status_code == 200
    assert client.patch(URL, {"bio": ""}, HTTP_IF_MATCH=f'"nonsense", {client.get(URL)["ETag"]}').status_code == 200
    # With a matching ETag, an invalid change is a validation error.
    assert codes(client.patch(URL, {"display_name": None}, HTTP_IF_MATCH=client.get(URL)["ETag"]))


def test_other_methods_are_not_allowed(client):
    for method in ("post", "put"):
        response = getattr(client, method)(URL)
        assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
        assert {"DELETE", "GET", "HEAD", "PATCH"} <= set(response["Allow"].split(", "))
    assert client.options(URL).status_code == 200


def test_query_parameters_are_rejected(client):
    response = client.get(f"{URL}?fields=id")
    assert (response.status_code, response.json()["code"]) == (400, "invalid_parameter")


def test_account_requires_authentication(anonymous):
    for method in ("get", "head", "patch", "put", "delete"):
        assert getattr(anonymous, method)(URL).status_code == 401


def test_update_query_count(client, django_assert_num_queries):
    # Session with user; the user; the update and the event in a savepoint (two queries).
    with django_assert_num_queries(6):
        client.patch(URL, {"bio": "x"})
