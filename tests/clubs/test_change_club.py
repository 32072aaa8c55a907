"""Updating and deleting a club."""

import pytest

from clubs.models import Club, Invitation, Membership
from tests.clubs.helpers import CLUBS, bad_fields, check_invariants, problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def url(club):
    return f"{CLUBS}{club.pk}/"


def test_patch_updates_only_the_sent_fields(as_alice, url):
    before = as_alice.get(url).json()
    response = as_alice.patch(url, {"description": "Late", "language": "pt-BR", "member_limit": 3})
    assert response.status_code == 200
    assert response.json() == before | {"description": "Late", "language": "pt-BR", "member_limit": 3}
    assert as_alice.get(url).json() == response.json()


def test_put_requires_the_name_and_keeps_other_fields(as_alice, url):
    as_alice.patch(url, {"description": "Late"})
    assert bad_fields(as_alice.put(url, {"description": "x"})) == {"name": "required"}
    data = as_alice.put(url, {"name": "Renamed"}).json()
    assert (data["name"], data["description"]) == ("Renamed", "Late")


def test_empty_patch_changes_nothing(as_alice, url):
    before = as_alice.get(url).json()
    assert as_alice.patch(url, {}).json() == before


def test_read_only_fields_are_ignored(as_alice, url, bob):
    before = as_alice.get(url).json()
    assert as_alice.patch(url, {"owner": bob.pk, "members_count": 1, "my_role": "member"}).json() == before
    check_invariants()


@pytest.mark.parametrize("limit", [None, 3, 10_000])
def test_member_limit_at_or_above_members_is_saved(as_alice, url, limit):
    assert as_alice.patch(url, {"member_limit": limit}).json()["member_limit"] == limit


def test_member_limit_below_members_conflicts(as_alice, url):
    problem(as_alice.patch(url, {"member_limit": 2}), 409, "limit_below_members")
    assert as_alice.get(url).json()["member_limit"] is None


def test_private_visibility_sets_join_policy(as_alice, url):
    data = as_alice.patch(url, {"visibility": "private"}).json()
    assert (data["visibility"], data["join_policy"]) == ("private", "invite")
    data = as_alice.patch(url, {"visibility": "public"}).json()
    assert (data["visibility"], data["join_policy"]) == ("public", "invite")


@pytest.mark.parametrize("policy", ["open", "request"])
def test_private_club_rejects_other_join_policies(as_alice, url, policy):
    error = {"join_policy": "private_needs_invite"}
    assert bad_fields(as_alice.patch(url, {"visibility": "private", "join_policy": policy})) == error
    assert as_alice.get(url).json()["visibility"] == "public"
    as_alice.patch(url, {"visibility": "private"})
    assert bad_fields(as_alice.patch(url, {"join_policy": policy})) == error
    data = as_alice.patch(url, {"visibility": "public", "join_policy": policy}).json()
    assert data["join_policy"] == policy


def test_stale_if_match_fails(as_alice, url):
    tag = as_alice.get(url)["ETag"]
    assert as_alice.patch(url, {"description": "One"}, headers={"If-Match": tag}).status_code == 200
    problem(as_alice.patch(url, {"description": "Two"}, headers={"If-Match": tag}), 412, "precondition_failed")
    problem(as_alice.delete(url, headers={"If-Match": tag}), 412, "precondition_failed")
    tag = as_alice.get(url)["ETag"]
    assert as_alice.get(url, headers={"If-None-Match": tag}).status_code == 304
    assert as_alice.delete(url, headers={"If-Match": tag}).status_code == 204


def test_rejected_conditional_update_changes_nothing(as_alice, url):
    tag = as_alice.get(url)["ETag"]
    body = {"description": "New", "member_limit": 2}
    problem(as_alice.patch(url, body, headers={"If-Match": tag}), 409, "limit_below_members")
    assert as_alice.get(url)["ETag"] == tag


def test_delete_removes_the_club_and_its_content(as_alice, url, club, alice):
    Invitation.create_with_code(club, by=alice, expires_in_hours=1, max_uses=1)
    assert as_alice.delete(url).status_code == 204
    problem(as_alice.get(url), 404, "not_found")
    problem(as_alice.delete(url), 404, "not_found")
    assert not Club.objects.exists()
    assert not Membership.objects.exists()
    assert not Invitation.objects.exists()


def test_unsupported_methods_are_not_allowed(as_alice, url, club):
    response = as_alice.post(url)
    problem(response, 405, "method_not_allowed")
    assert "PATCH" in response["Allow"]
    for route in ("members/", "invites/", "join/", "leave/", "transfer/"):
        assert as_alice.put(f"{url}{route}", {}).status_code == 405
    assert as_alice.put(f"{url}members/{club.owner_id}/", {}).status_code == 405
    assert as_alice.options(url).status_code == 200
    assert as_alice.head(url).status_code == 200


@pytest.mark.parametrize("pk", ["0", "9" * 30, "abc", "-1", "1.5"])
def test_invalid_ids_are_not_found(as_alice, pk):
    for route in ("", "members/", "invites/"):
        problem(as_alice.get(f"{CLUBS}{pk}/{route}"), 404, "not_found")


def test_missing_trailing_slash_is_accepted(as_alice, as_charlie, url):
    assert as_alice.get(url.rstrip("/")).status_code == 200
    assert as_charlie.post(f"{url}join").status_code == 201
