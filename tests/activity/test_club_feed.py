import pytest

from accounts.blocks import Block
from activity.models import Event, ObjectRef
from activity.services import record_event

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def empty_log(as_alice, as_bob, as_moe, club, private_club):
    Event.objects.all().delete()


def feed(client, club):
    return [row["verb"] for row in client.get(f"/api/v1/clubs/{club.pk}/activity/").json()["results"]]


def test_feed_lists_events_of_the_club_newest_first(as_bob, alice, club, private_club):
    record_event("book.listed", actor=alice.pk, object_ref=ObjectRef("entry", 7, "Dune"), club=club.pk)
    record_event("book.listed", actor=alice.pk, club=private_club.pk)
    record_event("session.created", actor=alice.pk)
    record_event("club.changed", actor=alice.pk, club=club.pk)
    assert feed(as_bob, club) == ["club.changed", "book.listed"]


def test_events_about_outsiders_are_for_moderators(as_bob, as_moe, as_alice, alice, charlie, club):
    record_event("member.asked", actor=charlie.pk, club=club.pk)
    record_event("member.banned", actor=alice.pk, subject=charlie.pk, club=club.pk)
    record_event("member.joined", actor=alice.pk, club=club.pk)
    assert feed(as_bob, club) == ["member.joined"]
    assert feed(as_moe, club) == feed(as_alice, club) == ["member.joined", "member.banned", "member.asked"]


def test_feed_is_for_members(as_charlie, club, private_club):
    assert as_charlie.get(f"/api/v1/clubs/{club.pk}/activity/").json()["code"] == "members_only"
    assert as_charlie.get(f"/api/v1/clubs/{private_club.pk}/activity/").status_code == 404


@pytest.mark.parametrize("rows", [3, 300])
def test_feed_query_count_is_constant(as_bob, alice, bob, club, rows, django_assert_num_queries):
    for n in range(rows):
        record_event("x", actor=(alice, bob)[n % 2].pk, club=club.pk)
    with django_assert_num_queries(5):
        # Session with user; club with membership; events; actors; clubs.
        assert len(as_bob.get(f"/api/v1/clubs/{club.pk}/activity/?page_size=100").json()["results"]) == min(rows, 100)


def test_block_hides_events_of_both_users(as_bob, as_moe, alice, bob, moe, club):
    Block.objects.block(on=bob, by=moe)
    Event.objects.all().delete()
    record_event("book.listed", actor=bob.pk, club=club.pk)
    record_event("book.moved", actor=moe.pk, club=club.pk)
    record_event("member.role_changed", actor=alice.pk, subject=bob.pk, club=club.pk)
    record_event("club.changed", actor=alice.pk, club=club.pk)
    assert feed(as_bob, club) == ["club.changed", "member.role_changed", "book.listed"]
    assert feed(as_moe, club) == ["club.changed", "book.moved"]
