"""Changing and dissolving a club."""

import pytest

from clubs.models import Club, Invitation, Membership
from tests.clubs.helpers import CLUBS, bad_fields, check_invariants, problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def url(club):
    return f"{CLUBS}{club.pk}/"


def test_the_owner_changes_what_is_sent(as_alice, url):
    before = as_alice.get(url).json()
    answer = as_alice.patch(url, {"description": "Late", "language": "pt-BR", "member_limit": 3})
    assert answer.status_code == 200
    assert answer.json() == before | {"description": "Late", "language": "pt-BR", "member_limit": 3}
    assert as_alice.get(url).json() == answer.json()


def test_put_needs_the_name_and_leaves_what_is_not_sent(as_alice, url):
    as_alice.patch(url, {"description": "Late"})
    assert bad_fields(as_alice.put(url, {"description": "x"})) == {"name": "required"}
    card = as_alice.put(url, {"name": "Renamed"}).json()
    assert (card["name"], card["description"]) == ("Renamed", "Late")


def test_an_empty_change_changes_nothing(as_alice, url):
    before = as_alice.get(url).json()
    assert as_alice.patch(url, {}).json() == before


def test_owner_and_counter_cannot_be_set(as_alice, url, bob):
    before = as_alice.get(url).json()
    assert as_alice.patch(url, {"owner": bob.pk, "members_count": 1, "my_role": "member"}).json() == before
    check_invariants()


@pytest.mark.parametrize("limit", [None, 3, 10_000])
def test_a_limit_that_has_room(as_alice, url, limit):
    assert as_alice.patch(url, {"member_limit": limit}).json()["member_limit"] == limit


def test_a_limit_below_the_present_number(as_alice, url):
    problem(as_alice.patch(url, {"member_limit": 2}), 409, "limit_below_members")
    assert as_alice.get(url).json()["member_limit"] is None


def test_turning_private_sets_the_policy_and_turning_public_leaves_it(as_alice, url):
    card = as_alice.patch(url, {"visibility": "private"}).json()
    assert (card["visibility"], card["join_policy"]) == ("private", "invite")
    card = as_alice.patch(url, {"visibility": "public"}).json()
    assert (card["visibility"], card["join_policy"]) == ("public", "invite")


@pytest.mark.parametrize("policy", ["open", "request"])
def test_a_private_club_takes_no_other_policy(as_alice, url, policy):
    clash = {"join_policy": "private_needs_invite"}
    assert bad_fields(as_alice.patch(url, {"visibility": "private", "join_policy": policy})) == clash
    assert as_alice.get(url).json()["visibility"] == "public"
    as_alice.patch(url, {"visibility": "private"})
    assert bad_fields(as_alice.patch(url, {"join_policy": policy})) == clash
    card = as_alice.patch(url, {"visibility": "public", "join_policy": policy}).json()
    assert card["join_policy"] == policy


def test_a_change_based_on_an_older_state_is_refused(as_alice, url):
    tag = as_alice.get(url)["ETag"]
    assert as_alice.patch(url, {"description": "One"}, headers={"If-Match": tag}).status_code == 200
    problem(as_alice.patch(url, {"description": "Two"}, headers={"If-Match": tag}), 412, "precondition_failed")
    problem(as_alice.delete(url, headers={"If-Match": tag}), 412, "precondition_failed")
    tag = as_alice.get(url)["ETag"]
    assert as_alice.get(url, headers={"If-None-Match": tag}).status_code == 304
    assert as_alice.delete(url, headers={"If-Match": tag}).status_code == 204


def test_a_refused_conditional_change_is_undone(as_alice, url):
    tag = as_alice.get(url)["ETag"]
    body = {"description": "New", "member_limit": 2}
    problem(as_alice.patch(url, body, headers={"If-Match": tag}), 409, "limit_below_members")
    assert as_alice.get(url)["ETag"] == tag


def test_a_dissolved_club_is_gone_with_all_that_is_in_it(as_alice, url, club, alice):
    Invitation.issue(club, by=alice, expires_in_hours=1, max_uses=1)
    assert as_alice.delete(url).status_code == 204
    problem(as_alice.get(url), 404, "not_found")
    problem(as_alice.delete(url), 404, "not_found")
    assert not Club.objects.exists()
    assert not Membership.objects.exists()
    assert not Invitation.objects.exists()


def test_other_methods(as_alice, url, club):
    answer = as_alice.post(url)
    problem(answer, 405, "method_not_allowed")
    assert "PATCH" in answer["Allow"]
    for route in ("members/", "invites/", "join/", "leave/", "transfer/"):
        assert as_alice.put(f"{url}{route}", {}).status_code == 405
    assert as_alice.put(f"{url}members/{club.owner_id}/", {}).status_code == 405
    assert as_alice.options(url).status_code == 200
    assert as_alice.head(url).status_code == 200


@pytest.mark.parametrize("pk", ["0", "9" * 30, "abc", "-1", "1.5"])
def test_ids_that_are_none(as_alice, pk):
    for route in ("", "members/", "invites/"):
        problem(as_alice.get(f"{CLUBS}{pk}/{route}"), 404, "not_found")


def test_paths_without_the_last_slash(as_alice, as_charlie, url):
    assert as_alice.get(url.rstrip("/")).status_code == 200
    assert as_charlie.post(f"{url}join").status_code == 201
