"""Joining, leaving and transferring clubs."""

import pytest

from clubs.models import Club, Membership
from tests.clubs.helpers import CLUBS, bad_fields, bring_in, check_invariants, problem

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def invariants(db):
    yield
    check_invariants()


def act(client, club, what, body=None):
    return client.post(f"{CLUBS}{club.pk}/{what}/", body)


def test_join_open_club_adds_a_member(club, as_charlie, charlie):
    response = act(as_charlie, club, "join")
    assert response.status_code == 201
    assert response.json() == {
        "club": {"id": club.pk, "name": club.name},
        "user": {"id": charlie.pk, "username": "charlie", "display_name": "Charlie", "avatar_url": None},
        "role": "member",
        "status": "active",
        "joined_at": response.json()["joined_at"],
    }
    data = as_charlie.get(f"{CLUBS}{club.pk}/").json()
    assert (data["my_role"], data["my_status"], data["members_count"]) == ("member", "active", 4)
    problem(act(as_charlie, club, "join"), 409, "already_member")


def test_join_request_awaits_approval(make_club, as_charlie, as_moe, as_bob, charlie):
    club = make_club(join_policy="request")
    response = act(as_charlie, club, "join", {"message": " I read at night "})
    assert response.status_code == 202
    assert (response.json()["status"], response.json()["joined_at"]) == ("pending", None)
    problem(act(as_charlie, club, "join"), 409, "already_member")
    requests = as_moe.get(f"{CLUBS}{club.pk}/members/", {"status": "pending"}).json()["results"]
    assert [(row["user"]["id"], row["message"]) for row in requests] == [(charlie.pk, "I read at night")]
    club.refresh_from_db()
    assert club.members_count == 3
    approved = as_moe.patch(f"{CLUBS}{club.pk}/members/{charlie.pk}/", {"status": "active"})
    assert approved.status_code == 200
    assert (approved.json()["status"], approved.json()["message"]) == ("active", "")
    assert as_charlie.get(f"{CLUBS}{club.pk}/members/").status_code == 200


@pytest.mark.parametrize("message", ["x" * 501, " \u2060 ", "a\x00b"])
def test_join_with_invalid_message_fails(make_club, as_charlie, message):
    response = act(as_charlie, make_club(join_policy="request"), "join", {"message": message})
    assert bad_fields(response).keys() == {"message"}


def test_join_invite_only_club_is_forbidden(make_club, as_charlie, as_bob):
    club = make_club(join_policy="invite")
    problem(act(as_charlie, club, "join"), 403, "invite_only")
    problem(act(as_bob, club, "join"), 409, "already_member")


def test_join_full_club_conflicts(make_club, as_charlie):
    problem(act(as_charlie, make_club("A", member_limit=3), "join"), 409, "club_full")
    problem(act(as_charlie, make_club("B", member_limit=3, join_policy="request"), "join"), 409, "club_full")
    assert act(as_charlie, make_club("C", member_limit=4), "join").status_code == 201


def test_join_by_banned_user_is_forbidden(club, as_charlie, charlie):
    bring_in(club, charlie, status="banned")
    problem(act(as_charlie, club, "join"), 403, "banned")
    problem(act(as_charlie, club, "leave"), 403, "members_only")
    assert as_charlie.get(f"{CLUBS}{club.pk}/").json()["my_status"] == "banned"


def test_member_can_leave_and_rejoin(club, as_bob, bob):
    assert act(as_bob, club, "leave").status_code == 204
    problem(act(as_bob, club, "leave"), 403, "members_only")
    problem(as_bob.get(f"{CLUBS}{club.pk}/members/"), 403, "members_only")
    assert act(as_bob, club, "join").status_code == 201


def test_moderator_rejoins_as_a_member(club, as_moe, moe):
    act(as_moe, club, "leave")
    act(as_moe, club, "join")
    assert as_moe.get(f"{CLUBS}{club.pk}/").json()["my_role"] == "member"


def test_leave_withdraws_a_join_request(make_club, as_charlie, charlie):
    club = make_club(join_policy="request")
    act(as_charlie, club, "join")
    assert act(as_charlie, club, "leave").status_code == 204
    assert not Membership.objects.filter(user=charlie).exists()
    assert act(as_charlie, club, "join").status_code == 202


def test_owner_can_leave_only_as_the_last_member(club, as_alice, as_bob, as_moe):
    problem(act(as_alice, club, "leave"), 409, "owner_must_transfer")
    act(as_bob, club, "leave")
    act(as_moe, club, "leave")
    assert act(as_alice, club, "leave").status_code == 204
    assert not Club.objects.exists()


def test_pending_and_banned_users_do_not_keep_the_owner(make_club, as_alice, bob, charlie):
    club = make_club(alone=True, join_policy="request")
    bring_in(club, bob, status="pending")
    bring_in(club, charlie, status="banned")
    assert act(as_alice, club, "leave").status_code == 204
    assert not Club.objects.exists()


def test_transfer_changes_the_owner(club, as_alice, as_bob, as_moe, bob):
    response = act(as_alice, club, "transfer", {"user": bob.pk})
    assert response.status_code == 200
    data = response.json()
    assert (data["owner"]["id"], data["my_role"], data["members_count"]) == (bob.pk, "moderator", 3)
    assert as_bob.get(f"{CLUBS}{club.pk}/").json()["my_role"] == "owner"
    rows = as_bob.get(f"{CLUBS}{club.pk}/members/").json()["results"]
    assert {row["user"]["username"]: row["role"] for row in rows} == {
        "alice": "moderator",
        "moe": "moderator",
        "bob": "owner",
    }
    problem(act(as_alice, club, "transfer", {"user": bob.pk}), 403, "owner_only")
    problem(as_alice.patch(f"{CLUBS}{club.pk}/", {"name": "Mine"}), 403, "owner_only")
    assert act(as_alice, club, "leave").status_code == 204


def test_transfer_requires_an_active_member(make_club, as_alice, alice, charlie, make_user):
    club = make_club(join_policy="request")
    bring_in(club, charlie, status="pending")
    banned, left = make_user("banned"), make_user("leaver")
    bring_in(club, banned, status="banned")
    bring_in(club, left, status="left")
    for user in (charlie.pk, banned.pk, left.pk, make_user("stranger").pk, alice.pk, 10**9, 2**63 - 1):
        assert bad_fields(act(as_alice, club, "transfer", {"user": user})) == {"user": "not_a_member"}
    for user, code in ((None, "null"), ("bob", "invalid"), (0, "min_value"), (2**63, "max_value")):
        assert bad_fields(act(as_alice, club, "transfer", {"user": user})) == {"user": code}
    assert bad_fields(act(as_alice, club, "transfer", {})) == {"user": "required"}


@pytest.mark.parametrize("visibility", ["public", "private"])
def test_leave_and_transfer_can_be_replayed(make_club, as_alice, as_moe, moe, bob, as_bob, visibility):
    # The first response was lost, and the caller has lost access since.
    club = make_club(visibility=visibility)
    for client, what, body, status in ((as_alice, "transfer", {"user": moe.pk}, 200), (as_bob, "leave", {}, 204)):
        url = f"{CLUBS}{club.pk}/{what}/"
        first, again = (client.post(url, body, headers={"Idempotency-Key": "k"}) for _ in range(2))
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert (again.status_code, again["Idempotency-Replayed"]) == (status, "true")
        denied = {"public": 403, "private": 403 if what == "transfer" else 404}[visibility]
        assert client.post(url, body, headers={"Idempotency-Key": "other"}).status_code == denied
        assert client.post(url, {"user": 0}, headers={"Idempotency-Key": "k"}).status_code == denied
        assert client.post(url, body).status_code == denied


def test_leave_by_the_last_member_can_be_replayed(make_user, client_of):
    client = client_of(make_user("zoe"))
    club = client.post(CLUBS, {"name": "Alone"}).json()["id"]
    responses = [client.post(f"{CLUBS}{club}/leave/", headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert [response.status_code for response in responses] == [204, 204]
    assert client.post(f"{CLUBS}{club}/leave/").status_code == 404
