"""Listing members, join requests, bans and roles."""

import pytest

from clubs.models import Club
from tests.clubs.helpers import CLUBS, bad_fields, bad_parameters, bring_in, check_invariants, problem

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def invariants(db):
    yield
    check_invariants()


@pytest.fixture
def members(club):
    return f"{CLUBS}{club.pk}/members/"


def rows(response):
    assert response.status_code == 200, response.content
    return [(row["user"]["username"], row["role"], row["status"]) for row in response.json()["results"]]


def test_list_shows_active_members_by_joining_date(members, club, as_bob, charlie, make_user):
    bring_in(club, charlie, status="pending")
    bring_in(club, make_user("banned"), status="banned")
    bring_in(club, make_user("leaver"), status="left")
    expected = [("alice", "owner", "active"), ("moe", "moderator", "active"), ("bob", "member", "active")]
    assert rows(as_bob.get(members)) == rows(as_bob.get(members, {"status": "active"})) == expected
    first = as_bob.get(members).json()["results"][0]
    fields = {"user", "role", "status", "joined_at", "message", "paused", "paused_until", "last_active_at"}
    assert first.keys() == fields
    problem(as_bob.get(members, {"status": "pending"}), 403, "moderators_only")
    problem(as_bob.get(f"{members}{charlie.pk}/"), 404, "not_found")


def test_list_by_status_as_moderator(members, club, as_moe, charlie, make_user):
    bring_in(club, charlie, status="pending")
    bring_in(club, make_user("banned"), status="banned")
    assert rows(as_moe.get(members, {"status": "pending"})) == [("charlie", "member", "pending")]
    assert rows(as_moe.get(members, {"status": "banned"})) == [("banned", "member", "banned")]
    assert as_moe.get(f"{members}{charlie.pk}/").json()["status"] == "pending"


@pytest.mark.parametrize("fixture", ["as_bob", "as_moe"])
def test_list_with_unknown_status_is_rejected(members, request, fixture):
    client = request.getfixturevalue(fixture)
    for status in ("left", "owner", "", "ACTIVE"):
        assert bad_parameters(client.get(members, {"status": status})) == {"status"}


def test_approve_in_a_full_club_conflicts(make_club, as_moe, as_alice, charlie):
    club = make_club(join_policy="request", member_limit=4)
    bring_in(club, charlie, status="pending")
    as_alice.patch(f"{CLUBS}{club.pk}/", {"member_limit": 3})
    problem(as_moe.patch(f"{CLUBS}{club.pk}/members/{charlie.pk}/", {"status": "active"}), 409, "club_full")
    as_alice.patch(f"{CLUBS}{club.pk}/", {"member_limit": None})
    assert as_moe.patch(f"{CLUBS}{club.pk}/members/{charlie.pk}/", {"status": "active"}).status_code == 200


def test_approve_twice_is_idempotent(members, club, as_moe, charlie):
    bring_in(club, charlie, status="pending")
    first = as_moe.patch(f"{members}{charlie.pk}/", {"status": "active"})
    again = as_moe.patch(f"{members}{charlie.pk}/", {"status": "active"})
    assert first.json() == again.json()


def test_rejected_join_request_can_be_repeated(make_club, as_moe, as_charlie, charlie):
    club = make_club(join_policy="request")
    bring_in(club, charlie, status="pending")
    url = f"{CLUBS}{club.pk}/members/{charlie.pk}/"
    assert as_moe.delete(url).status_code == 204
    problem(as_moe.delete(url), 404, "not_found")
    problem(as_moe.patch(url, {"status": "active"}), 404, "not_found")
    assert as_charlie.post(f"{CLUBS}{club.pk}/join/").status_code == 202


def test_removed_member_loses_access_at_once(members, as_moe, as_bob, bob):
    assert as_bob.get(members).status_code == 200
    assert as_moe.delete(f"{members}{bob.pk}/").status_code == 204
    problem(as_bob.get(members), 403, "members_only")


def test_ban_and_unban(members, club, as_moe, as_bob, bob):
    response = as_moe.patch(f"{members}{bob.pk}/", {"status": "banned"})
    assert (response.status_code, response.json()["status"]) == (200, "banned")
    problem(as_bob.post(f"{CLUBS}{club.pk}/join/"), 403, "banned")
    # A banned user must be unbanned and join again.
    problem(as_moe.patch(f"{members}{bob.pk}/", {"status": "active"}), 409, "not_pending")
    assert as_moe.delete(f"{members}{bob.pk}/").status_code == 204
    assert as_bob.post(f"{CLUBS}{club.pk}/join/").status_code == 201


def test_only_current_and_former_members_can_be_banned(members, club, as_moe, as_bob, bob, charlie):
    as_bob.post(f"{CLUBS}{club.pk}/leave/")
    problem(as_moe.delete(f"{members}{bob.pk}/"), 404, "not_found")
    problem(as_moe.patch(f"{members}{bob.pk}/", {"role": "member"}), 404, "not_found")
    assert as_moe.patch(f"{members}{bob.pk}/", {"status": "banned"}).json()["status"] == "banned"
    problem(as_moe.patch(f"{members}{charlie.pk}/", {"status": "banned"}), 404, "not_found")
    problem(as_moe.patch(f"{members}{10**9}/", {"status": "banned"}), 404, "not_found")


def test_owner_changes_roles(members, as_alice, as_bob, bob):
    response = as_alice.patch(f"{members}{bob.pk}/", {"role": "moderator"})
    assert (response.status_code, response.json()["role"]) == (200, "moderator")
    assert as_bob.get(members, {"status": "pending"}).status_code == 200
    assert as_alice.patch(f"{members}{bob.pk}/", {"role": "member"}).json()["role"] == "member"
    problem(as_bob.get(members, {"status": "pending"}), 403, "moderators_only")


def test_approve_with_a_role(members, club, as_alice, charlie):
    bring_in(club, charlie, status="pending")
    response = as_alice.patch(f"{members}{charlie.pk}/", {"status": "active", "role": "moderator"})
    assert (response.json()["status"], response.json()["role"]) == ("active", "moderator")


def test_partly_rejected_update_changes_nothing(members, club, as_alice, as_moe, charlie, bob):
    bring_in(club, charlie, status="pending")
    problem(as_moe.patch(f"{members}{charlie.pk}/", {"status": "active", "role": "moderator"}), 403, "owner_only")
    problem(as_alice.patch(f"{members}{charlie.pk}/", {"role": "moderator"}), 409, "not_a_member")
    problem(as_alice.patch(f"{members}{bob.pk}/", {"status": "banned", "role": "moderator"}), 409, "not_a_member")
    assert club.get_membership(charlie).status == "pending"
    assert club.get_membership(bob).status == "active"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"role": "owner"}, "role"),
        ({"role": "admin"}, "role"),
        ({"role": None}, "role"),
        ({"status": "pending"}, "status"),
        ({"status": "left"}, "status"),
        ({"status": ""}, "status"),
    ],
)
def test_update_with_invalid_choice_fails(members, as_alice, bob, body, field):
    assert bad_fields(as_alice.patch(f"{members}{bob.pk}/", body)).keys() == {field}


@pytest.mark.parametrize("body", [{"status": "banned"}, {"status": "active"}, {"role": "member"}, None])
def test_update_of_equal_or_higher_role_is_forbidden(members, club, as_alice, as_moe, alice, moe, make_user, body):
    other = make_user("other")
    bring_in(club, other, role="moderator")
    pairs = [(as_moe, moe), (as_moe, other), (as_moe, alice), (as_alice, alice)]
    for client, target in pairs:
        url = f"{members}{target.pk}/"
        response = client.delete(url) if body is None else client.patch(url, body)
        problem(response, 403, "not_above")
    assert as_alice.delete(f"{members}{other.pk}/").status_code == 204


def test_role_change_by_moderator_is_forbidden(members, as_moe, bob):
    problem(as_moe.patch(f"{members}{bob.pk}/", {"role": "moderator"}), 403, "owner_only")


def test_empty_patch_changes_nothing(members, as_moe, bob):
    before = as_moe.get(f"{members}{bob.pk}/").json()
    assert as_moe.patch(f"{members}{bob.pk}/", {}).json() == before
    assert as_moe.patch(f"{members}{bob.pk}/", {"joined_at": "1999-01-01", "message": "x"}).json() == before


def test_stale_if_match_fails(members, as_alice, bob):
    url = f"{members}{bob.pk}/"
    tag = as_alice.get(url)["ETag"]
    assert as_alice.patch(url, {"role": "moderator"}, headers={"If-Match": tag}).status_code == 200
    problem(as_alice.patch(url, {"role": "member"}, headers={"If-Match": tag}), 412, "precondition_failed")
    problem(as_alice.delete(url, headers={"If-Match": tag}), 412, "precondition_failed")
    assert as_alice.delete(url, headers={"If-Match": as_alice.get(url)["ETag"]}).status_code == 204


def test_member_of_another_club_is_not_found(members, as_moe, charlie):
    other = Club.create_club(by=charlie, name="Other")
    problem(as_moe.delete(f"{members}{charlie.pk}/"), 404, "not_found")
    problem(as_moe.get(f"{CLUBS}{other.pk}/members/"), 403, "members_only")


@pytest.mark.parametrize("count", [2, 25])
def test_list_query_count_is_constant(members, club, make_user, as_bob, django_assert_num_queries, count):
    for n in range(count):
        bring_in(club, make_user(f"user{n}"))
    # Session, club with membership, members with users.
    with django_assert_num_queries(3):
        assert len(rows(as_bob.get(members))) == min(count + 3, 20)
