"""Who talks in a club, or answers its meetings, is active there for as long as that is there to see."""

import datetime
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.departure import close_account
from catalog.models import Book
from clubs.models import Ballot, Club, Entry, Meeting, Membership, Post, Rsvp, Thread
from tests.clubs.discussions.helpers import posts, reaction, threads
from tests.clubs.helpers import bring_in
from tests.clubs.meetings.helpers import url
from tests.conftest import PASSWORD
from tests.reviews.helpers import differences

pytestmark = pytest.mark.django_db
DAY = 86_400


@pytest.fixture
def active(club: Club, anonymous: Any) -> Callable[[], int]:
    """How many are active, by the club's figures, all of which are right."""

    def count() -> int:
        assert differences() == (0, [])
        figures: dict[str, int] = anonymous.get(f"/api/v1/clubs/{club.pk}/stats/").json()
        return figures["active_members_30d"]

    return count


@pytest.fixture
def chat(club: Club, alice: Any, as_alice: Any) -> Thread:
    """A thread of Alice's, who wrote it long ago."""
    with time_machine.travel(timezone.now().timestamp() - 60 * DAY):
        return Thread.open(club=club, by=alice, title="Biscuits", body="Who brings them?")


@pytest.fixture
def meeting(club: Club, alice: Any) -> Meeting:
    return plan(club, alice)


def plan(club: Club, by: Any, **fields: Any) -> Meeting:
    starts_at = timezone.now() + datetime.timedelta(days=10)
    return Meeting.plan(club=club, by=by, title="Tea", starts_at=starts_at, **fields)


def did(answer: Any, status: int) -> Any:
    assert answer.status_code == status, answer.content
    return answer.json() if answer.content else None


def test_a_post_and_a_thread_make_their_writers_active_for_30_days(
    club, chat, active, as_alice, as_bob, as_moe, as_charlie
):
    assert active() == 0
    did(as_charlie.post(threads(club, chat, "posts/"), {"body": "Me"}), 403)
    did(as_bob.post(threads(club, chat, "posts/"), {"body": ""}), 400)
    assert active() == 0
    did(as_bob.post(threads(club, chat, "posts/"), {"body": "Me"}), 201)
    assert active() == 1
    did(as_moe.post(threads(club), {"title": "Tea", "body": "Who makes it?"}), 201)
    assert active() == 2
    with time_machine.travel(timezone.now().timestamp() + 31 * DAY):
        assert active() == 0
    did(as_alice.patch(threads(club, chat), {"closed": True}), 200)
    did(as_alice.post(threads(club, chat, "posts/"), {"body": "Late"}), 409)
    assert active() == 2


def test_who_edits_or_reacts_is_not_active_by_that(club, chat, active, as_alice, as_bob):
    post = chat.posts.get()
    did(as_alice.patch(posts(club, post), {"body": "Who eats them?"}), 200)
    did(as_bob.put(reaction(club, post, "👍")), 204)
    assert active() == 0


def test_a_post_that_is_deleted_is_no_activity(club, chat, active, as_bob, as_moe, as_charlie):
    first, second = (did(as_bob.post(threads(club, chat, "posts/"), {"body": "Me"}), 201)["id"] for _ in range(2))
    did(as_charlie.delete(posts(club, first)), 403)
    did(as_moe.delete(posts(club, second)), 204)
    assert active() == 1
    did(as_bob.delete(posts(club, first)), 204)
    did(as_moe.delete(posts(club, first)), 409)
    assert active() == 0
    assert Membership.objects.get(club=club, user__username="bob").last_active_at is None


def test_a_thread_that_is_deleted_takes_the_activity_of_all_in_it_away(club, chat, active, as_bob, as_moe):
    other = did(as_moe.post(threads(club), {"title": "Tea", "body": "Who makes it?"}), 201)["id"]
    for client in (as_bob, as_moe):
        did(client.post(threads(club, chat, "posts/"), {"body": "Me"}), 201)
    assert active() == 2
    did(as_bob.delete(threads(club, chat)), 403)
    assert active() == 2
    did(as_moe.delete(threads(club, chat)), 204)
    assert active() == 1  # Moe has opened the other.
    did(as_moe.delete(threads(club, other)), 204)
    assert active() == 0


def test_a_post_that_moderation_hides_is_none_until_it_is_restored(club, chat, active, as_bob):
    post = Post.objects.get(pk=did(as_bob.post(threads(club, chat, "posts/"), {"body": "Me"}), 201)["id"])
    post.hide()
    assert active() == 0
    post.restore()
    assert active() == 1


def test_an_answer_makes_active_for_30_days_from_its_last_change(
    club, meeting, active, as_alice, as_bob, as_moe, as_charlie
):
    answer = partial(as_bob.put, url(meeting, "rsvp/"))
    did(as_charlie.put(url(meeting, "rsvp/"), {"answer": "yes"}), 403)
    did(answer({"answer": "perhaps"}), 400)
    assert active() == 0
    did(answer({"answer": "yes"}), 200)
    assert active() == 1
    did(as_moe.put(url(meeting, "rsvp/"), {"answer": "no"}), 200)
    assert active() == 2
    Rsvp.objects.update(answered_at=timezone.now() - datetime.timedelta(days=40))
    assert differences("--repair")[0] == 0
    did(answer({"answer": "yes"}), 200)  # As before: nothing is written.
    assert active() == 0
    did(answer({"answer": "maybe"}), 200)
    assert active() == 1
    did(as_alice.patch(url(meeting), {"status": "cancelled"}), 200)
    did(as_moe.put(url(meeting, "rsvp/"), {"answer": "yes"}), 409)
    assert active() == 1


def test_a_meeting_that_is_removed_takes_its_answers_along(club, alice, meeting, active, as_alice, as_bob, as_moe):
    first = plan(club, alice, repeats={"every": "weekly", "count": 3})
    series = list(Meeting.objects.filter(series=first.series_id).order_by("starts_at"))
    did(as_moe.put(url(meeting, "rsvp/"), {"answer": "yes"}), 200)
    for each in series:
        did(as_bob.put(url(each, "rsvp/"), {"answer": "yes"}), 200)
    did(as_moe.put(url(series[2], "rsvp/"), {"answer": "yes"}), 200)
    did(as_bob.delete(url(series[1]) + "?scope=following"), 403)
    did(as_alice.delete(url(series[1]) + "?scope=following"), 204)
    assert active() == 2
    did(as_alice.delete(url(first)), 204)
    assert active() == 1  # Moe's answer to the other meeting
    did(as_alice.delete(url(meeting)), 204)
    assert active() == 0


def test_who_leaves_takes_their_answers_back_and_comes_in_again_by_what_they_said(
    club, chat, meeting, active, bob, as_bob
):
    did(as_bob.put(url(meeting, "rsvp/"), {"answer": "yes"}), 200)
    did(as_bob.post(f"/api/v1/clubs/{club.pk}/leave/"), 204)
    assert active() == 0
    bring_in(club, bob)
    assert active() == 0
    did(as_bob.post(threads(club, chat, "posts/"), {"body": "Me"}), 201)
    did(as_bob.post(f"/api/v1/clubs/{club.pk}/leave/"), 204)
    assert active() == 0
    bring_in(club, bob)
    assert active() == 1


def test_a_vote_is_secret_and_no_activity(club, active, alice, as_bob):
    listed = [
        Entry.add(club=club, book=Book.add(by=None, title=title, authors=["A"]), by=alice, status="proposed").pk
        for title in ("Emma", "Persuasion")
    ]
    closes_at = timezone.now() + datetime.timedelta(days=1)
    ballot = Ballot.open(
        club=club, by=alice, title="Next", method="approval", candidates=listed, closes_at=closes_at, quorum_percent=0
    )
    did(as_bob.put(f"/api/v1/clubs/{club.pk}/ballots/{ballot.pk}/vote/", {"approved": listed[:1]}), 200)
    assert active() == 0


@pytest.mark.parametrize("wish", ["anonymise", "delete"])
def test_the_activity_of_an_account_that_goes_goes_with_it(club, chat, meeting, active, bob, as_bob, as_moe, wish):
    for client in (as_bob, as_moe):
        did(client.post(threads(club, chat, "posts/"), {"body": "Me"}), 201)
        did(client.put(url(meeting, "rsvp/"), {"answer": "yes"}), 200)
    close_account(bob, password=PASSWORD, reviews=wish)
    assert active() == 1


def test_what_is_done_in_one_club_is_no_activity_in_another(make_club, club, chat, meeting, active, as_bob):
    other = make_club("Others")
    did(as_bob.post(threads(club, chat, "posts/"), {"body": "Me"}), 201)
    did(as_bob.put(url(meeting, "rsvp/"), {"answer": "yes"}), 200)
    assert active() == 1
    assert not Membership.objects.filter(club=other).exclude(last_active_at=None).exists()


def test_verify_finds_activity_that_is_wrong_and_mends_it(club, chat, active, as_bob):
    did(as_bob.post(threads(club, chat, "posts/"), {"body": "Me"}), 201)
    Membership.objects.update(last_active_at=None)
    assert differences()[0] == 1
    assert differences("--repair")[0] == 0
    assert active() == 1


@pytest.mark.parametrize("count", [3, 300])
def test_writing_costs_the_same_however_much_is_there(
    club, chat, meeting, bob, as_bob, alice, count, django_assert_num_queries
):
    Post.objects.bulk_create(Post(club=club, thread=chat, author=bob, body="Old") for _ in range(count))
    others = [plan(club, alice) for _ in range(3)]
    Rsvp.objects.bulk_create(Rsvp(meeting=other, user=bob, answer="no") for other in others)
    last = Post.objects.order_by("pk").last()
    # Who asks; the club twice, the second time held; the thread twice; a savepoint around all, one around the new
    # post (two statements each); the post; the thread's figures; the membership; the log; the post and its reactions
    # to show.
    with django_assert_num_queries(15):
        did(as_bob.post(threads(club, chat, "posts/"), {"body": "Me"}), 201)
    # Who asks, the club, the post with its reactions, its thread; a savepoint (two statements); the club, the thread
    # and the post held; the log; its case; its reactions, who opened it, its text; the thread counted and written;
    # the membership held and looked at.
    with django_assert_num_queries(19):
        did(as_bob.delete(posts(club, last)), 204)
    # Who asks, the club, the meeting with their own answer; a savepoint (two statements); the reader held, their
    # membership, the meeting held, their answer; the answer and the meeting's count written; the log; the membership;
    # the answer to show.
    with django_assert_num_queries(15):
        did(as_bob.put(url(meeting, "rsvp/"), {"answer": "yes"}), 200)
