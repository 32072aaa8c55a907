"""Blocks in a club: they hide members and invitations, but not from moderators."""

from decimal import Decimal

import pytest

from accounts.blocks import Block
from catalog.models import Book
from clubs.models import Entry, Invitation, Membership, Progress
from clubs.reading.choices import ReadingPosition, Unit
from tests.clubs.helpers import ACCEPT, CLUBS, bring_in, problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def members(club, charlie):
    bring_in(club, charlie)
    return f"{CLUBS}{club.pk}/members/"


def names(response):
    assert response.status_code == 200, response.content
    return {row["user"]["username"] for row in response.json()["results"]}


def test_blocked_members_are_hidden_but_counted(members, club, bob, charlie, as_bob, as_charlie, as_moe):
    Block.objects.block(on=charlie, by=bob)
    assert names(as_bob.get(members)) == names(as_bob.get(members, {"status": "active"})) == {"alice", "moe", "bob"}
    assert names(as_charlie.get(members)) == {"alice", "moe", "charlie"}
    problem(as_bob.get(f"{members}{charlie.pk}/"), 404, "not_found")
    problem(as_charlie.get(f"{members}{bob.pk}/"), 404, "not_found")
    assert names(as_moe.get(members)) == {"alice", "moe", "bob", "charlie"}
    assert as_bob.get(f"{CLUBS}{club.pk}/").json()["members_count"] == 4


@pytest.mark.parametrize("other_way", [False, True])
def test_block_does_not_hide_a_member_from_moderators(members, club, moe, charlie, as_moe, as_charlie, other_way):
    by, on = (charlie, moe) if other_way else (moe, charlie)
    Block.objects.block(on=on, by=by)
    assert names(as_moe.get(members)) == {"alice", "moe", "bob"}
    assert names(as_charlie.get(members)) == {"alice", "bob", "charlie"}
    assert "charlie" in names(as_moe.get(members, {"status": "active"}))
    assert as_moe.get(f"{members}{charlie.pk}/").status_code == 200
    assert as_moe.patch(f"{members}{charlie.pk}/", {"status": "banned"}).status_code == 200


def test_block_does_not_hide_join_requests(club, moe, charlie, as_moe):
    bring_in(club, charlie, status="pending")
    Block.objects.block(on=moe, by=charlie)
    assert names(as_moe.get(f"{CLUBS}{club.pk}/members/", {"status": "pending"})) == {"charlie"}


@pytest.mark.parametrize("other_way", [False, True])
def test_invitation_across_a_block_is_not_found(private_club, moe, charlie, as_charlie, other_way):
    invitation, code = Invitation.create_with_code(private_club, by=moe, expires_in_hours=1, max_uses=1)
    by, on = (charlie, moe) if other_way else (moe, charlie)
    Block.objects.block(on=on, by=by)
    hidden, absent = (
        as_charlie.post(ACCEPT, {"code": sent}, HTTP_X_REQUEST_ID="the-same") for sent in (code, "no such code")
    )
    assert hidden.status_code == 404
    assert hidden.content == absent.content
    invitation.refresh_from_db()
    assert invitation.uses == 0
    Block.objects.unblock(on=on, by=by)
    assert as_charlie.post(ACCEPT, {"code": code}).status_code == 201


def test_invitation_by_another_or_deleted_user_is_valid(private_club, moe, alice, bob, charlie, as_charlie):
    Block.objects.block(on=bob, by=charlie)
    invitation, code = Invitation.create_with_code(private_club, by=alice, expires_in_hours=1, max_uses=1)
    Invitation.objects.filter(pk=invitation.pk).update(created_by=None)
    assert as_charlie.post(ACCEPT, {"code": code}).status_code == 201


def test_blocked_progress_is_hidden_but_counted(members, club, bob, charlie, as_bob, as_charlie, as_moe):
    entry = Entry.add_entry(club=club, book=Book.create_book(by=None, title="Emma", authors=["Jane Austen"]), by=bob)
    for user, percent in ((bob, 40), (charlie, 80)):
        Progress.set_progress(
            entry=entry, by=user, position=ReadingPosition(Unit.PERCENT, Decimal(percent), Decimal(100))
        )
    Block.objects.block(on=charlie, by=bob)
    pages = {client: client.get(f"{CLUBS}{club.pk}/books/{entry.pk}/progress/") for client in (as_bob, as_charlie)}
    assert names(pages[as_bob]) == {"bob"}
    assert names(pages[as_charlie]) == {"charlie"}
    assert {page.json()["mean_percent"] for page in pages.values()} == {30.0}
    assert names(as_moe.get(f"{CLUBS}{club.pk}/books/{entry.pk}/progress/")) == {"bob", "charlie"}


def test_member_list_query_count_is_constant(members, club, bob, as_bob, make_user, django_assert_num_queries):
    for size in (3, 100):
        for n in range(Block.objects.count(), size):
            blocked = make_user(f"r{n}")
            Membership.objects.bulk_create([Membership(club=club, user=blocked, status="active")])
            Block.objects.bulk_create([Block(blocker=bob, blocked=blocked)])
        # Session with user, club with membership, page.
        with django_assert_num_queries(3):
            assert names(as_bob.get(members)) == {"alice", "moe", "bob", "charlie"}
