"""Seeing members, approving, refusing, removing, banning, and giving roles."""

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


def rows(answer):
    assert answer.status_code == 200, answer.content
    return [(row["user"]["username"], row["role"], row["status"]) for row in answer.json()["results"]]


def test_members_see_who_is_in_in_the_order_they_came(members, club, as_bob, charlie, make_user):
    bring_in(club, charlie, status="pending")
    bring_in(club, make_user("banned"), status="banned")
    bring_in(club, make_user("leaver"), status="left")
    expected = [("alice", "owner", "active"), ("moe", "moderator", "active"), ("bob", "member", "active")]
    assert rows(as_bob.get(members)) == rows(as_bob.get(members, {"status": "active"})) == expected
    first = as_bob.get(members).json()["results"][0]
    assert first.keys() == {"user", "role", "status", "joined_at", "message"}
    problem(as_bob.get(members, {"status": "pending"}), 403, "moderators_only")
    problem(as_bob.get(f"{members}{charlie.pk}/"), 404, "not_found")


def test_moderators_see_the_others_by_status(members, club, as_moe, charlie, make_user):
    bring_in(club, charlie, status="pending")
    bring_in(club, make_user("banned"), status="banned")
    assert rows(as_moe.get(members, {"status": "pending"})) == [("charlie", "member", "pending")]
    assert rows(as_moe.get(members, {"status": "banned"})) == [("banned", "member", "banned")]
    assert as_moe.get(f"{members}{charlie.pk}/").json()["status"] == "pending"


@pytest.mark.parametrize("who", ["as_bob", "as_moe"])
def test_other_statuses_are_no_parameter(members, request, who):
    client = request.getfixturevalue(who)
    for status in ("left", "owner", "", "ACTIVE"):
        assert bad_parameters(client.get(members, {"status": status})) == {"status"}


def test_a_full_club_approves_nobody(make_club, as_moe, as_alice, charlie):
    club = make_club(join_policy="request", member_limit=4)
    bring_in(club, charlie, status="pending")
    as_alice.patch(f"{CLUBS}{club.pk}/", {"member_limit": 3})
    problem(as_moe.patch(f"{CLUBS}{club.pk}/members/{charlie.pk}/", {"status": "active"}), 409, "club_full")
    as_alice.patch(f"{CLUBS}{club.pk}/", {"member_limit": None})
    assert as_moe.patch(f"{CLUBS}{club.pk}/members/{charlie.pk}/", {"status": "active"}).status_code == 200


def test_approving_twice_is_one_approval(members, club, as_moe, charlie):
    bring_in(club, charlie, status="pending")
    first = as_moe.patch(f"{members}{charlie.pk}/", {"status": "active"})
    again = as_moe.patch(f"{members}{charlie.pk}/", {"status": "active"})
    assert first.json() == again.json()


def test_a_refused_request_may_be_made_again(make_club, as_moe, as_charlie, charlie):
    club = make_club(join_policy="request")
    bring_in(club, charlie, status="pending")
    url = f"{CLUBS}{club.pk}/members/{charlie.pk}/"
    assert as_moe.delete(url).status_code == 204
    problem(as_moe.delete(url), 404, "not_found")
    problem(as_moe.patch(url, {"status": "active"}), 404, "not_found")
    assert as_charlie.post(f"{CLUBS}{club.pk}/join/").status_code == 202


def test_a_removed_member_is_out_on_the_next_request(members, as_moe, as_bob, bob):
    assert as_bob.get(members).status_code == 200
    assert as_moe.delete(f"{members}{bob.pk}/").status_code == 204
    problem(as_bob.get(members), 403, "members_only")


def test_a_ban_and_its_end(members, club, as_moe, as_bob, bob):
    answer = as_moe.patch(f"{members}{bob.pk}/", {"status": "banned"})
    assert (answer.status_code, answer.json()["status"]) == (200, "banned")
    problem(as_bob.post(f"{CLUBS}{club.pk}/join/"), 403, "banned")
    # A ban is lifted, not turned into a membership nobody asked for.
    problem(as_moe.patch(f"{members}{bob.pk}/", {"status": "active"}), 409, "not_pending")
    assert as_moe.delete(f"{members}{bob.pk}/").status_code == 204
    assert as_bob.post(f"{CLUBS}{club.pk}/join/").status_code == 201


def test_who_was_in_can_be_banned_and_who_never_was_cannot(members, club, as_moe, as_bob, bob, charlie):
    as_bob.post(f"{CLUBS}{club.pk}/leave/")
    problem(as_moe.delete(f"{members}{bob.pk}/"), 404, "not_found")
    problem(as_moe.patch(f"{members}{bob.pk}/", {"role": "member"}), 404, "not_found")
    assert as_moe.patch(f"{members}{bob.pk}/", {"status": "banned"}).json()["status"] == "banned"
    problem(as_moe.patch(f"{members}{charlie.pk}/", {"status": "banned"}), 404, "not_found")
    problem(as_moe.patch(f"{members}{10**9}/", {"status": "banned"}), 404, "not_found")


def test_the_owner_gives_and_takes_roles(members, as_alice, as_bob, bob):
    answer = as_alice.patch(f"{members}{bob.pk}/", {"role": "moderator"})
    assert (answer.status_code, answer.json()["role"]) == (200, "moderator")
    assert as_bob.get(members, {"status": "pending"}).status_code == 200
    assert as_alice.patch(f"{members}{bob.pk}/", {"role": "member"}).json()["role"] == "member"
    problem(as_bob.get(members, {"status": "pending"}), 403, "moderators_only")


def test_approved_with_a_role_at_once(members, club, as_alice, charlie):
    bring_in(club, charlie, status="pending")
    answer = as_alice.patch(f"{members}{charlie.pk}/", {"status": "active", "role": "moderator"})
    assert (answer.json()["status"], answer.json()["role"]) == ("active", "moderator")


def test_a_change_that_is_refused_in_part_is_not_made(members, club, as_alice, as_moe, charlie, bob):
    bring_in(club, charlie, status="pending")
    problem(as_moe.patch(f"{members}{charlie.pk}/", {"status": "active", "role": "moderator"}), 403, "owner_only")
    problem(as_alice.patch(f"{members}{charlie.pk}/", {"role": "moderator"}), 409, "not_a_member")
    problem(as_alice.patch(f"{members}{bob.pk}/", {"status": "banned", "role": "moderator"}), 409, "not_a_member")
    assert club.membership_of(charlie).status == "pending"
    assert club.membership_of(bob).status == "active"


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
def test_other_words(members, as_alice, bob, body, field):
    assert bad_fields(as_alice.patch(f"{members}{bob.pk}/", body)).keys() == {field}


@pytest.mark.parametrize("body", [{"status": "banned"}, {"status": "active"}, {"role": "member"}, None])
def test_nobody_acts_on_a_role_equal_to_or_above_their_own(
    members, club, as_alice, as_moe, alice, moe, make_user, body
):
    other = make_user("other")
    bring_in(club, other, role="moderator")
    pairs = [(as_moe, moe), (as_moe, other), (as_moe, alice), (as_alice, alice)]
    for client, target in pairs:
        url = f"{members}{target.pk}/"
        answer = client.delete(url) if body is None else client.patch(url, body)
        problem(answer, 403, "not_above")
    assert as_alice.delete(f"{members}{other.pk}/").status_code == 204


def test_moderators_do_not_promote(members, as_moe, bob):
    problem(as_moe.patch(f"{members}{bob.pk}/", {"role": "moderator"}), 403, "owner_only")


def test_an_empty_change_changes_nothing(members, as_moe, bob):
    before = as_moe.get(f"{members}{bob.pk}/").json()
    assert as_moe.patch(f"{members}{bob.pk}/", {}).json() == before
    assert as_moe.patch(f"{members}{bob.pk}/", {"joined_at": "1999-01-01", "message": "x"}).json() == before


def test_a_conditional_change(members, as_alice, bob):
    url = f"{members}{bob.pk}/"
    tag = as_alice.get(url)["ETag"]
    assert as_alice.patch(url, {"role": "moderator"}, headers={"If-Match": tag}).status_code == 200
    problem(as_alice.patch(url, {"role": "member"}, headers={"If-Match": tag}), 412, "precondition_failed")
    problem(as_alice.delete(url, headers={"If-Match": tag}), 412, "precondition_failed")
    assert as_alice.delete(url, headers={"If-Match": as_alice.get(url)["ETag"]}).status_code == 204


def test_members_of_another_club_are_not_reached(members, as_moe, charlie):
    other = Club.found(by=charlie, name="Other")
    problem(as_moe.delete(f"{members}{charlie.pk}/"), 404, "not_found")
    problem(as_moe.get(f"{CLUBS}{other.pk}/members/"), 403, "members_only")


@pytest.mark.parametrize("readers", [2, 25])
def test_a_list_costs_the_same_at_any_size(members, club, make_user, as_bob, django_assert_num_queries, readers):
    for n in range(readers):
        bring_in(club, make_user(f"reader{n}"))
    # 1 the sign-in, 2 the club with the caller's standing, 3 the members with their names.
    with django_assert_num_queries(3):
        assert len(rows(as_bob.get(members))) == min(readers + 3, 20)
