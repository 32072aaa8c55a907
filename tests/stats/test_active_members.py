"""Activity of members: posts and RSVPs count as long as they are visible."""

import datetime
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.deletion import close_account
from ballots.models import Ballot
from catalog.models import Book
from clubs.models import Club, Entry, Membership
from discussions.models import Post, Thread
from meetings.models import Meeting, Rsvp
from tests.clubs.helpers import bring_in
from tests.conftest import PASSWORD
from tests.discussions.helpers import posts, reaction, threads
from tests.meetings.helpers import url
from tests.reviews.helpers import counter_differences

pytestmark = pytest.mark.django_db
DAY = 86_400


@pytest.fixture
def active(club: Club, anonymous: Any) -> Callable[[], int]:
    """Return the number of active members, after checking all counters."""

    def count() -> int:
        assert counter_differences() == (0, [])
        statistics: dict[str, int] = anonymous.get(f"/api/v1/clubs/{club.pk}/stats/").json()
        return statistics["active_members_30d"]

    return count


@pytest.fixture
def chat(club: Club, alice: Any, as_alice: Any) -> Thread:
    """Create a thread that is too old to count."""
    with time_machine.travel(timezone.now().timestamp() - 60 * DAY):
        return Thread.create_thread(club=club, by=alice, title="Biscuits", body="Who brings them?")


@pytest.fixture
def meeting(club: Club, alice: Any) -> Meeting:
    return plan(club, alice)


@pytest.fixture
def progress_url(club: Club, alice: Any) -> str:
    book = Book.create_book(by=None, title="Emma", authors=["Jane Austen"])
    entry = Entry.add_entry(club=club, book=book, by=alice, status="reading")
    return f"/api/v1/clubs/{club.pk}/books/{entry.pk}/progress/"


def plan(club: Club, by: Any, **fields: Any) -> Meeting:
    starts_at = timezone.now() + datetime.timedelta(days=10)
    return Meeting.create_meeting(club=club, by=by, title="Tea", starts_at=starts_at, **fields)


def expect_status(response: Any, status: int) -> Any:
    assert response.status_code == status, response.content
    return response.json() if response.content else None


def test_posting_counts_as_activity_for_30_days(club, chat, active, as_alice, as_bob, as_moe, as_charlie):
    assert active() == 0
    expect_status(as_charlie.post(threads(club, chat, "posts/"), {"body": "Me"}), 403)
    expect_status(as_bob.post(threads(club, chat, "posts/"), {"body": ""}), 400)
    assert active() == 0
    expect_status(as_bob.post(threads(club, chat, "posts/"), {"body": "Me"}), 201)
    assert active() == 1
    expect_status(as_moe.post(threads(club), {"title": "Tea", "body": "Who makes it?"}), 201)
    assert active() == 2
    with time_machine.travel(timezone.now().timestamp() + 31 * DAY):
        assert active() == 0
    expect_status(as_alice.patch(threads(club, chat), {"closed": True}), 200)
    expect_status(as_alice.post(threads(club, chat, "posts/"), {"body": "Late"}), 409)
    assert active() == 2


def test_editing_and_reacting_do_not_count(club, chat, active, as_alice, as_bob):
    post = chat.posts.get()
    expect_status(as_alice.patch(posts(club, post), {"body": "Who eats them?"}), 200)
    expect_status(as_bob.put(reaction(club, post, "👍")), 204)
    assert active() == 0


def test_deleted_post_does_not_count(club, chat, active, as_bob, as_moe, as_charlie):
    first, second = (
        expect_status(as_bob.post(threads(club, chat, "posts/"), {"body": "Me"}), 201)["id"] for _ in range(2)
    )
    expect_status(as_charlie.delete(posts(club, first)), 403)
    expect_status(as_moe.delete(posts(club, second)), 204)
    assert active() == 1
    expect_status(as_bob.delete(posts(club, first)), 204)
    expect_status(as_moe.delete(posts(club, first)), 409)
    assert active() == 0
    assert Membership.objects.get(club=club, user__username="bob").last_active_at is None


def test_deleted_thread_does_not_count(club, chat, active, as_bob, as_moe):
    other = expect_status(as_moe.post(threads(club), {"title": "Tea", "body": "Who makes it?"}), 201)["id"]
    for client in (as_bob, as_moe):
        expect_status(client.post(threads(club, chat, "posts/"), {"body": "Me"}), 201)
    assert active() == 2
    expect_status(as_bob.delete(threads(club, chat)), 403)
    assert active() == 2
    expect_status(as_moe.delete(threads(club, chat)), 204)
    assert active() == 1  # Moe opened the other thread.
    expect_status(as_moe.delete(threads(club, other)), 204)
    assert active() == 0


def test_hidden_post_counts_again_when_restored(club, chat, active, as_bob):
    post = Post.objects.get(pk=expect_status(as_bob.post(threads(club, chat, "posts/"), {"body": "Me"}), 201)["id"])
    post.hide()
    assert active() == 0
    post.restore()
    assert active() == 1


def test_rsvp_counts_for_30_days_from_its_last_change(club, meeting, active, as_alice, as_bob, as_moe, as_charlie):
    send_rsvp = partial(as_bob.put, url(meeting, "rsvp/"))
    expect_status(as_charlie.put(url(meeting, "rsvp/"), {"answer": "yes"}), 403)
    expect_status(send_rsvp({"answer": "perhaps"}), 400)
    assert active() == 0
    expect_status(send_rsvp({"answer": "yes"}), 200)
    assert active() == 1
    expect_status(as_moe.put(url(meeting, "rsvp/"), {"answer": "no"}), 200)
    assert active() == 2
    Rsvp.objects.update(answered_at=timezone.now() - datetime.timedelta(days=40))
    assert counter_differences("--repair")[0] == 0
    expect_status(send_rsvp({"answer": "yes"}), 200)  # Unchanged, so nothing is written.
    assert active() == 0
    expect_status(send_rsvp({"answer": "maybe"}), 200)
    assert active() == 1
    expect_status(as_alice.patch(url(meeting), {"status": "cancelled"}), 200)
    expect_status(as_moe.put(url(meeting, "rsvp/"), {"answer": "yes"}), 409)
    assert active() == 1


def test_deleted_meeting_removes_rsvp_activity(club, alice, meeting, active, as_alice, as_bob, as_moe):
    first = plan(club, alice, repeats={"every": "weekly", "count": 3})
    series = list(Meeting.objects.filter(series=first.series_id).order_by("starts_at"))
    expect_status(as_moe.put(url(meeting, "rsvp/"), {"answer": "yes"}), 200)
    for each in series:
        expect_status(as_bob.put(url(each, "rsvp/"), {"answer": "yes"}), 200)
    expect_status(as_moe.put(url(series[2], "rsvp/"), {"answer": "yes"}), 200)
    expect_status(as_bob.delete(url(series[1]) + "?scope=following"), 403)
    expect_status(as_alice.delete(url(series[1]) + "?scope=following"), 204)
    assert active() == 2
    expect_status(as_alice.delete(url(first)), 204)
    assert active() == 1  # Moe's RSVP to the other meeting.
    expect_status(as_alice.delete(url(meeting)), 204)
    assert active() == 0


def test_leaving_withdraws_rsvps(club, chat, meeting, active, bob, as_bob):
    expect_status(as_bob.put(url(meeting, "rsvp/"), {"answer": "yes"}), 200)
    expect_status(as_bob.post(f"/api/v1/clubs/{club.pk}/leave/"), 204)
    assert active() == 0
    bring_in(club, bob)
    assert active() == 0
    expect_status(as_bob.post(threads(club, chat, "posts/"), {"body": "Me"}), 201)
    expect_status(as_bob.post(f"/api/v1/clubs/{club.pk}/leave/"), 204)
    assert active() == 0
    bring_in(club, bob)
    assert active() == 1


def test_progress_counts_as_activity_only_while_visible(club, progress_url, active, as_bob):
    for hidden, counted in ((True, 0), (False, 1), (True, 0), (False, 1)):
        expect_status(as_bob.put(progress_url, {"percent": 10, "hidden": hidden}), 200)
        assert active() == counted


def test_hidden_progress_stays_secret_when_a_post_is_deleted(club, chat, progress_url, active, as_bob):
    expect_status(as_bob.put(progress_url, {"percent": 10, "hidden": True}), 200)
    post = expect_status(as_bob.post(threads(club, chat, "posts/"), {"body": "Me"}), 201)["id"]
    assert active() == 1
    expect_status(as_bob.delete(posts(club, post)), 204)
    assert active() == 0
    assert Membership.objects.get(club=club, user__username="bob").last_active_at is None


def test_visible_progress_still_counts_when_a_post_is_deleted(club, chat, progress_url, active, as_bob):
    saved = expect_status(as_bob.put(progress_url, {"percent": 10}), 200)
    post = expect_status(as_bob.post(threads(club, chat, "posts/"), {"body": "Me"}), 201)["id"]
    expect_status(as_bob.delete(posts(club, post)), 204)
    assert active() == 1
    last_active_at = Membership.objects.get(club=club, user__username="bob").last_active_at
    assert f"{last_active_at:%Y-%m-%dT%H:%M:%SZ}" == saved["updated_at"]


def test_vote_does_not_count_as_activity(club, active, alice, as_bob):
    listed = [
        Entry.add_entry(
            club=club, book=Book.create_book(by=None, title=title, authors=["A"]), by=alice, status="proposed"
        ).pk
        for title in ("Emma", "Persuasion")
    ]
    closes_at = timezone.now() + datetime.timedelta(days=1)
    ballot = Ballot.create_ballot(
        club=club, by=alice, title="Next", method="approval", candidates=listed, closes_at=closes_at, quorum_percent=0
    )
    expect_status(as_bob.put(f"/api/v1/clubs/{club.pk}/ballots/{ballot.pk}/vote/", {"approved": listed[:1]}), 200)
    assert active() == 0


@pytest.mark.parametrize("wish", ["anonymise", "delete"])
def test_account_deletion_removes_activity(club, chat, meeting, active, bob, as_bob, as_moe, wish):
    for client in (as_bob, as_moe):
        expect_status(client.post(threads(club, chat, "posts/"), {"body": "Me"}), 201)
        expect_status(client.put(url(meeting, "rsvp/"), {"answer": "yes"}), 200)
    close_account(bob, password=PASSWORD, reviews=wish)
    assert active() == 1


def test_activity_counts_only_in_its_own_club(make_club, club, chat, meeting, active, as_bob):
    other = make_club("Others")
    expect_status(as_bob.post(threads(club, chat, "posts/"), {"body": "Me"}), 201)
    expect_status(as_bob.put(url(meeting, "rsvp/"), {"answer": "yes"}), 200)
    assert active() == 1
    assert not Membership.objects.filter(club=other).exclude(last_active_at=None).exists()


def test_verify_counters_repairs_last_active_at(club, chat, active, as_bob):
    expect_status(as_bob.post(threads(club, chat, "posts/"), {"body": "Me"}), 201)
    Membership.objects.update(last_active_at=None)
    assert counter_differences()[0] == 1
    assert counter_differences("--repair")[0] == 0
    assert active() == 1


@pytest.mark.parametrize("count", [3, 300])
def test_write_query_count_is_constant(club, chat, meeting, bob, as_bob, alice, count, django_assert_num_queries):
    Post.objects.bulk_create(Post(club=club, thread=chat, author=bob, body="Old") for _ in range(count))
    others = [plan(club, alice) for _ in range(3)]
    Rsvp.objects.bulk_create(Rsvp(meeting=other, user=bob, answer="no") for other in others)
    last = Post.objects.order_by("pk").last()
    # Session; club twice (once locked); thread twice; savepoint (two statements); post; thread counters; membership;
    # pause; change; event.
    with django_assert_num_queries(13):
        expect_status(as_bob.post(threads(club, chat, "posts/"), {"body": "Me"}), 201)
    # Session; club; post with reactions; thread; savepoint (two statements); locks of club, thread and post; event;
    # case; reactions, spoiler reveals, text; thread counters twice; membership twice; change.
    with django_assert_num_queries(20):
        expect_status(as_bob.delete(posts(club, last)), 204)
    # Session; club; meeting; savepoint (two statements); lock of user; lock of meeting, with the membership; RSVP; RSVP
    # and meeting counters saved; event; membership; pause; change.
    with django_assert_num_queries(14):
        expect_status(as_bob.put(url(meeting, "rsvp/"), {"answer": "yes"}), 200)
