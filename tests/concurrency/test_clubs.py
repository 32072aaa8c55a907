"""Concurrent club membership changes: invariants hold, no response is a 5xx."""

import itertools
from functools import partial

import pytest
from django.http import Http404

from clubs.models import Club, Invitation, Membership
from tests.clubs.helpers import ACCEPT, CLUBS, bring_in, check_invariants
from tests.concurrency.tools import ROUNDS, at_once, statuses

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def users(make_user):
    return [make_user(f"reader{n}") for n in range(30)]


def test_simultaneous_joins_respect_member_limit(alice, clients):
    for _round in range(ROUNDS):
        club = Club.create_club(by=alice, name="Full soon", member_limit=6)
        responses = at_once([partial(client.post, f"{CLUBS}{club.pk}/join/") for client in clients[:20]])
        assert statuses(responses) == {201: 5, 409: 15}
        assert {response.json()["code"] for response in responses if response.status_code == 409} == {"club_full"}
        club.refresh_from_db()
        assert club.members_count == 6
        check_invariants()


def test_simultaneous_joins_of_one_user_create_one(alice, clients):
    for _round in range(ROUNDS):
        club = Club.create_club(by=alice, name="Once")
        responses = at_once([partial(clients[0].post, f"{CLUBS}{club.pk}/join/")] * 10)
        assert statuses(responses) == {201: 1, 409: 9}
        check_invariants()


def test_invitation_is_accepted_max_uses_times(alice, clients):
    for _round in range(ROUNDS):
        club = Club.create_club(by=alice, name="By invitation", visibility="private")
        invitation, code = Invitation.create_with_code(club, by=alice, expires_in_hours=1, max_uses=5)
        responses = at_once([partial(client.post, ACCEPT, {"code": code}) for client in clients])
        assert statuses(responses) == {201: 5, 404: 25}
        club.refresh_from_db()
        invitation.refresh_from_db()
        assert (club.members_count, invitation.uses) == (6, 5)
        check_invariants()


def test_simultaneous_accepts_of_one_user_use_it_once(alice, clients):
    for _round in range(ROUNDS):
        club = Club.create_club(by=alice, name="By invitation", visibility="private")
        invitation, code = Invitation.create_with_code(club, by=alice, expires_in_hours=1, max_uses=10)
        responses = at_once([partial(clients[0].post, ACCEPT, {"code": code})] * 10)
        assert statuses(responses) == {201: 1, 409: 9}
        invitation.refresh_from_db()
        assert invitation.uses == 1
        check_invariants()


def test_full_club_uses_no_invitation(alice, clients):
    for _round in range(ROUNDS):
        club = Club.create_club(by=alice, name="Small", member_limit=3)
        invitation, code = Invitation.create_with_code(club, by=alice, expires_in_hours=1, max_uses=8)
        responses = at_once([partial(client.post, ACCEPT, {"code": code}) for client in clients[:8]])
        assert statuses(responses) == {201: 2, 409: 6}
        invitation.refresh_from_db()
        assert invitation.uses == 2
        check_invariants()


def test_club_always_has_one_owner(alice, bob, charlie, client_of):
    """All pairs of actions around a change of ownership."""
    as_alice, as_bob = client_of(alice), client_of(bob)
    acts = {
        "transfer to bob": lambda c: as_alice.post(f"{CLUBS}{c}/transfer/", {"user": bob.pk}),
        "transfer to charlie": lambda c: as_alice.post(f"{CLUBS}{c}/transfer/", {"user": charlie.pk}),
        "the owner leaves": lambda c: as_alice.post(f"{CLUBS}{c}/leave/"),
        "the owner deletes": lambda c: as_alice.delete(f"{CLUBS}{c}/"),
        "the owner removes bob": lambda c: as_alice.delete(f"{CLUBS}{c}/members/{bob.pk}/"),
        "the owner bans bob": lambda c: as_alice.patch(f"{CLUBS}{c}/members/{bob.pk}/", {"status": "banned"}),
        "bob leaves": lambda c: as_bob.post(f"{CLUBS}{c}/leave/"),
        "bob removes charlie": lambda c: as_bob.delete(f"{CLUBS}{c}/members/{charlie.pk}/"),
        "bob removes alice": lambda c: as_bob.delete(f"{CLUBS}{c}/members/{alice.pk}/"),
        "bob deletes": lambda c: as_bob.delete(f"{CLUBS}{c}/"),
    }
    for pair in itertools.combinations(acts, 2):
        club = Club.create_club(by=alice, name="Contested")
        bring_in(club, bob, role="moderator")
        bring_in(club, charlie)
        statuses(at_once([partial(acts[act], club.pk) for act in pair]))
        check_invariants()


def test_simultaneous_transfers_leaves_and_deletions(alice, bob, moe, client_of):
    clients = {user: client_of(user) for user in (alice, bob, moe)}
    for _round in range(ROUNDS):
        club = Club.create_club(by=alice, name="Contested")
        bring_in(club, moe, role="moderator")
        bring_in(club, bob)
        address = f"{CLUBS}{club.pk}/"
        calls = [partial(clients[by].post, f"{address}transfer/", {"user": to.pk})
                 for by, to in itertools.permutations(clients, 2)]  # fmt: skip
        calls += [partial(client.post, f"{address}leave/") for client in clients.values()]
        calls += [partial(clients[moe].delete, f"{address}members/{bob.pk}/")]
        calls += [partial(clients[bob].delete, address)]
        statuses(at_once(calls))
        check_invariants()


def test_last_two_members_leave_at_once(alice, bob, client_of):
    as_alice, as_bob = client_of(alice), client_of(bob)
    for _round in range(ROUNDS):
        club = Club.create_club(by=alice, name="Last ones")
        bring_in(club, bob)
        address = f"{CLUBS}{club.pk}/leave/"
        found = statuses(at_once([partial(as_alice.post, address), partial(as_bob.post, address)]))
        assert found in ({204: 2}, {204: 1, 409: 1})
        assert Club.objects.filter(pk=club.pk).exists() == (found[409] == 1)
        check_invariants()


def test_join_request_ends_in_a_valid_state(alice, bob, moe, charlie, client_of):
    as_alice, as_moe, as_charlie = client_of(alice), client_of(moe), client_of(charlie)
    for _round in range(ROUNDS):
        club = Club.create_club(by=alice, name="On request", join_policy="request", member_limit=4)
        bring_in(club, moe, role="moderator")
        bring_in(club, charlie, status="pending")
        address = f"{CLUBS}{club.pk}/"
        row = f"{address}members/{charlie.pk}/"
        responses = at_once(
            [
                *[partial(client.patch, row, {"status": "active"}) for client in (as_alice, as_moe)],
                *[partial(client.delete, row) for client in (as_alice, as_moe)],
                partial(as_charlie.post, f"{address}leave/"),
                partial(as_charlie.post, f"{address}join/"),
            ]
        )
        statuses(responses)
        left = Membership.objects.filter(club=club, user=charlie).first()
        assert left is None or left.status in ("active", "pending", "left")
        check_invariants()


def test_member_limit_holds_during_approvals(alice, users, clients, client_of):
    as_alice = client_of(alice)
    for _round in range(ROUNDS):
        club = Club.create_club(by=alice, name="Limits", join_policy="request", member_limit=6)
        address = f"{CLUBS}{club.pk}/"
        for user in users[:8]:
            bring_in(club, user, status="pending")
        calls = [partial(as_alice.patch, f"{address}members/{r.pk}/", {"status": "active"}) for r in users[:8]]
        calls += [partial(as_alice.patch, address, {"member_limit": limit}) for limit in (2, 4)]
        statuses(at_once(calls))
        check_invariants()


def test_visibility_and_join_policy_stay_consistent(alice, client_of):
    as_alice = client_of(alice)
    for _round in range(ROUNDS):
        club = Club.create_club(by=alice, name="Torn")
        address = f"{CLUBS}{club.pk}/"
        bodies = [{"visibility": "private"}, {"join_policy": "open"}, {"join_policy": "request"}] * 2
        statuses(at_once([partial(as_alice.patch, address, body) for body in bodies]))
        club.refresh_from_db()
        assert club.visibility == "private"
        assert club.join_policy == "invite"


def test_account_deletions_during_joins_and_transfers(make_user, client_of):
    """Two owners delete their accounts while users join and ownership is transferred."""
    for number in range(ROUNDS):
        first, second, third = (make_user(f"{name}{number}") for name in ("first", "second", "third"))
        clubs = [Club.create_club(by=owner, name="Shared") for owner in (first, second)]
        for club in clubs:
            for user in {first, second} - {club.owner}:
                bring_in(club, user)
        as_first, as_third = client_of(first), client_of(third)
        calls = [partial(end_memberships, first), partial(end_memberships, second)]
        calls += [partial(as_third.post, f"{CLUBS}{club.pk}/join/") for club in clubs]
        calls += [partial(as_first.post, f"{CLUBS}{clubs[0].pk}/transfer/", {"user": second.pk})]
        statuses(response for response in at_once(calls) if response is not None)
        check_invariants()
        Membership.objects.remove_user_everywhere(first)
        Membership.objects.remove_user_everywhere(second)
        assert not Club.objects.filter(owner__in=[first, second]).exists()
        assert not Membership.objects.filter(user__in=[first, second]).exists()
        check_invariants()


def end_memberships(user):
    try:
        Membership.objects.remove_user_everywhere(user)
    except Http404:
        pytest.fail("account deletion must not raise 404")


def test_conditional_updates_do_not_deadlock(alice, charlie, client_of):
    """`If-Match` locks before it compares, so that one of several changes is made."""
    as_alice = client_of(alice)
    for _round in range(ROUNDS):
        club = Club.create_club(by=alice, name="Careful")
        bring_in(club, charlie)
        address = f"{CLUBS}{club.pk}/members/{charlie.pk}/"
        tag = as_alice.get(address)["ETag"]
        calls = [
            partial(as_alice.patch, address, {"role": "moderator"}, headers={"If-Match": tag}),
            partial(as_alice.patch, address, {"status": "banned"}, headers={"If-Match": tag}),
        ]
        calls += [partial(client_of(charlie).post, f"{CLUBS}{club.pk}/leave/")]
        statuses(at_once(calls))
        check_invariants()
