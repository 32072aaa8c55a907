"""A private club shows through nothing."""

import pytest

from clubs.models import Invitation
from tests.clubs.helpers import ACCEPT, CLUBS, bring_in

pytestmark = pytest.mark.django_db

USERS = "/api/v1/users/"


def test_a_profile_names_public_clubs_the_reader_is_in(club, private_club, as_charlie, as_bob, bob, charlie, make_club):
    bring_in(make_club("Asked", join_policy="request", alone=True), bob, status="pending")
    bring_in(make_club("Left", alone=True), bob, status="left")
    bring_in(make_club("Banned", alone=True), bob, status="banned")
    expected = [{"id": club.pk, "name": club.name}]
    assert as_charlie.get(f"{USERS}bob/").json()["clubs"] == expected
    # Nor to those who know of it: a profile is one for all.
    assert as_bob.get(f"{USERS}bob/").json()["clubs"] == expected
    assert as_charlie.get(f"{USERS}charlie/").json()["clubs"] == []


def test_a_profile_names_not_all_of_a_great_many_clubs(make_club, as_charlie, django_assert_max_num_queries):
    for n in range(52):
        make_club(f"Club {n}", alone=True)
    with django_assert_max_num_queries(3):
        assert len(as_charlie.get(f"{USERS}alice/").json()["clubs"]) == 50


def test_a_club_that_turns_private_is_gone_at_once(club, as_charlie, anonymous, as_alice):
    url = f"{CLUBS}{club.pk}/"
    tag = as_charlie.get(url)["ETag"]
    as_alice.patch(url, {"visibility": "private"})
    for client in (as_charlie, anonymous):
        assert client.get(url, headers={"If-None-Match": tag}).status_code == 404
        assert client.get(CLUBS).json()["results"] == []
    assert as_charlie.get(f"{USERS}bob/").json()["clubs"] == []


def test_a_reader_who_asked_keeps_the_card_of_a_club_that_turned_private(make_club, as_alice, as_charlie, charlie):
    club = make_club(join_policy="request")
    url = f"{CLUBS}{club.pk}/"
    bring_in(club, charlie, status="pending")
    as_alice.patch(url, {"visibility": "private"})
    card = as_charlie.get(url).json()
    assert (card["my_role"], card["my_status"]) == (None, "pending")
    assert as_charlie.get(f"{url}members/").status_code == 403
    assert as_charlie.post(f"{url}leave/").status_code == 204
    assert as_charlie.get(url).status_code == 404


def test_methods_a_route_does_not_know_tell_nothing(private_club, as_charlie, anonymous):
    for client in (as_charlie, anonymous):
        for method in ("post", "options", "put", "trace"):
            answers = [
                client.generic(method.upper(), f"{CLUBS}{pk}/members/", headers={"X-Request-ID": "same-same"})
                for pk in (private_club.pk, 10**9)
            ]
            assert answers[0].content == answers[1].content
            assert answers[0].status_code == answers[1].status_code


def test_no_message_names_it(private_club, alice, as_charlie, charlie):
    bring_in(private_club, charlie, status="banned")
    _invitation, code = Invitation.issue(private_club, by=alice, expires_in_hours=1, max_uses=1)
    for answer in (
        as_charlie.post(ACCEPT, {"code": code}),
        as_charlie.post(f"{CLUBS}{private_club.pk}/join/"),
        as_charlie.get(CLUBS, {"search": "secret"}),
        as_charlie.get(CLUBS, {"mine": "true"}),
    ):
        assert b"Secret" not in answer.content


def test_answers_to_a_caller_are_not_shared(club, as_bob, anonymous):
    assert as_bob.get(CLUBS)["Cache-Control"] == "private, no-cache"
    answer = anonymous.get(f"{CLUBS}{club.pk}/")
    assert answer["Cache-Control"] == "public, no-cache"
    assert "Authorization" in answer["Vary"]
