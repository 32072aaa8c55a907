"""Private clubs are not revealed anywhere."""

import pytest

from clubs.models import Invitation
from tests.clubs.helpers import ACCEPT, CLUBS, bring_in

pytestmark = pytest.mark.django_db

USERS = "/api/v1/users/"


def test_profile_lists_only_joined_public_clubs(club, private_club, as_charlie, as_bob, bob, charlie, make_club):
    bring_in(make_club("Asked", join_policy="request", alone=True), bob, status="pending")
    bring_in(make_club("Left", alone=True), bob, status="left")
    bring_in(make_club("Banned", alone=True), bob, status="banned")
    expected = [{"id": club.pk, "name": club.name}]
    assert as_charlie.get(f"{USERS}bob/").json()["clubs"] == expected
    # Not even to members of the private club: a profile is the same for everyone.
    assert as_bob.get(f"{USERS}bob/").json()["clubs"] == expected
    assert as_charlie.get(f"{USERS}charlie/").json()["clubs"] == []


def test_profile_lists_at_most_50_clubs(make_club, as_charlie, django_assert_max_num_queries):
    for n in range(52):
        make_club(f"Club {n}", alone=True)
    with django_assert_max_num_queries(3):
        assert len(as_charlie.get(f"{USERS}alice/").json()["clubs"]) == 50


def test_club_made_private_is_hidden_at_once(club, as_charlie, anonymous, as_alice):
    url = f"{CLUBS}{club.pk}/"
    tag = as_charlie.get(url)["ETag"]
    as_alice.patch(url, {"visibility": "private"})
    for client in (as_charlie, anonymous):
        assert client.get(url, headers={"If-None-Match": tag}).status_code == 404
        assert client.get(CLUBS).json()["results"] == []
    assert as_charlie.get(f"{USERS}bob/").json()["clubs"] == []


def test_applicant_still_sees_a_club_made_private(make_club, as_alice, as_charlie, charlie):
    club = make_club(join_policy="request")
    url = f"{CLUBS}{club.pk}/"
    bring_in(club, charlie, status="pending")
    as_alice.patch(url, {"visibility": "private"})
    card = as_charlie.get(url).json()
    assert (card["my_role"], card["my_status"]) == (None, "pending")
    assert as_charlie.get(f"{url}members/").status_code == 403
    assert as_charlie.post(f"{url}leave/").status_code == 204
    assert as_charlie.get(url).status_code == 404


def test_unsupported_methods_do_not_reveal_private_clubs(private_club, as_charlie, anonymous):
    for client in (as_charlie, anonymous):
        for method in ("post", "options", "put", "trace"):
            responses = [
                client.generic(method.upper(), f"{CLUBS}{pk}/members/", headers={"X-Request-ID": "same-same"})
                for pk in (private_club.pk, 10**9)
            ]
            assert responses[0].content == responses[1].content
            assert responses[0].status_code == responses[1].status_code


def test_responses_do_not_contain_the_private_name(private_club, alice, as_charlie, charlie):
    bring_in(private_club, charlie, status="banned")
    _invitation, code = Invitation.create_with_code(private_club, by=alice, expires_in_hours=1, max_uses=1)
    for response in (
        as_charlie.post(ACCEPT, {"code": code}),
        as_charlie.post(f"{CLUBS}{private_club.pk}/join/"),
        as_charlie.get(CLUBS, {"search": "secret"}),
        as_charlie.get(CLUBS, {"mine": "true"}),
    ):
        assert b"Secret" not in response.content


def test_authenticated_responses_are_not_cached_publicly(club, as_bob, anonymous):
    assert as_bob.get(CLUBS)["Cache-Control"] == "private, no-cache"
    response = anonymous.get(f"{CLUBS}{club.pk}/")
    assert response["Cache-Control"] == "public, no-cache"
    assert "Authorization" in response["Vary"]
