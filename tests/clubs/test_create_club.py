"""Creating clubs."""

import pytest

from clubs.models import Club
from tests.clubs.helpers import CLUBS, bad_fields, check_invariants, problem

pytestmark = pytest.mark.django_db

CLUB_FIELDS = {
    *("id", "name", "description", "visibility", "join_policy", "member_limit", "language", "timezone", "owner"),
    *("members_count", "current_entry", "next_meeting", "my_role", "my_status", "created_at"),
    "cover_url",
}


def test_create_makes_the_user_the_owner(as_alice, alice):
    response = as_alice.post(CLUBS, {"name": "  Night readers "})
    assert response.status_code == 201
    data = response.json()
    assert data.keys() == CLUB_FIELDS
    assert data == data | {
        "name": "Night readers",
        "description": "",
        "visibility": "public",
        "join_policy": "open",
        "member_limit": None,
        "owner": {"id": alice.pk, "username": "alice", "display_name": "Alice", "avatar_url": None},
        "members_count": 1,
        "current_entry": None,
        "next_meeting": None,
        "my_role": "owner",
        "my_status": "active",
    }
    assert data["created_at"].endswith("Z")
    assert as_alice.get(f"{CLUBS}{data['id']}/").json() == data
    check_invariants()


def test_create_defaults_language_and_time_zone_to_users(make_user, client_of):
    ana = client_of(make_user("ana", language="pt-BR", timezone="America/Sao_Paulo"))
    data = ana.post(CLUBS, {"name": "Clube"}).json()
    assert (data["language"], data["timezone"]) == ("pt-BR", "America/Sao_Paulo")
    data = ana.post(CLUBS, {"name": "Club", "language": "EN", "timezone": "Europe/Lisbon"}).json()
    assert (data["language"], data["timezone"]) == ("en", "Europe/Lisbon")
    assert ana.post(CLUBS, {"name": "Club", "language": ""}).json()["language"] == ""


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "name", "required"),
        ({"name": ""}, "name", "blank"),
        ({"name": " \u200b "}, "name", "invisible"),
        ({"name": "x" * 101}, "name", "max_length"),
        ({"name": None}, "name", "null"),
        ({"name": "A\x00"}, "name", "null_characters_not_allowed"),
        ({"name": "A", "description": "x" * 2001}, "description", "max_length"),
        ({"name": "A", "visibility": "secret"}, "visibility", "invalid_choice"),
        ({"name": "A", "join_policy": "closed"}, "join_policy", "invalid_choice"),
        ({"name": "A", "member_limit": 1}, "member_limit", "min_value"),
        ({"name": "A", "member_limit": 10_001}, "member_limit", "max_value"),
        ({"name": "A", "member_limit": 10**30}, "member_limit", "max_value"),
        ({"name": "A", "member_limit": "many"}, "member_limit", "invalid"),
        ({"name": "A", "language": "english language"}, "language", "invalid"),
        ({"name": "A", "timezone": "Mars/Olympus"}, "timezone", "invalid"),
        ({"name": "A", "timezone": "../etc/passwd"}, "timezone", "invalid"),
    ],
)
def test_create_with_invalid_values_fails(as_alice, body, field, code):
    assert bad_fields(as_alice.post(CLUBS, body)) == {field: code}
    assert not Club.objects.exists()


@pytest.mark.parametrize("body", [[], "club", None, 5, [{"name": "A"}]])
def test_create_without_an_object_fails(as_alice, body):
    assert as_alice.post(CLUBS, body, format="json").status_code == 400


def test_create_with_maximum_lengths(as_alice):
    body = {"name": "é" * 100, "description": "📚" * 2000, "member_limit": 10_000}
    response = as_alice.post(CLUBS, body)
    assert response.status_code == 201
    assert response.json() == response.json() | body


def test_create_private_club_sets_join_policy(as_alice):
    data = as_alice.post(CLUBS, {"name": "Secret", "visibility": "private"}).json()
    assert (data["visibility"], data["join_policy"]) == ("private", "invite")
    same = as_alice.post(CLUBS, {"name": "Secret", "visibility": "private", "join_policy": "invite"})
    assert same.status_code == 201
    for policy in ("open", "request"):
        response = as_alice.post(CLUBS, {"name": "Secret", "visibility": "private", "join_policy": policy})
        assert bad_fields(response) == {"join_policy": "private_needs_invite"}


def test_create_ignores_read_only_fields(as_alice, bob):
    body = {"name": "A", "id": 7, "owner": bob.pk, "members_count": 99, "my_role": "member", "created_at": "1999-01-01"}
    data = as_alice.post(CLUBS, body).json()
    assert data["members_count"] == 1
    assert data["owner"]["username"] == "alice"
    assert not data["created_at"].startswith("1999")


def test_create_with_same_idempotency_key_creates_once(as_alice):
    first = as_alice.post(CLUBS, {"name": "Once"}, headers={"Idempotency-Key": "k"})
    again = as_alice.post(CLUBS, {"name": "Once"}, headers={"Idempotency-Key": "k"})
    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    assert Club.objects.count() == 1


def test_create_allows_duplicate_names(as_alice, as_bob):
    assert as_alice.post(CLUBS, {"name": "Same"}).status_code == as_bob.post(CLUBS, {"name": "Same"}).status_code == 201


def test_create_requires_authentication(anonymous):
    problem(anonymous.post(CLUBS, {"name": "A"}), 401, "not_authenticated")
