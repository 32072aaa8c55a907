"""Budgets of the most frequent writes: how many statements each takes, including the two of the transaction.

Inside a test the transaction is a savepoint, which takes two statements as well.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from catalog.models import Book
from clubs.models import Club, Entry
from discussions.models import Thread
from meetings.models import Meeting
from tests.ballots.helpers import poll
from tests.ballots.helpers import url as ballot_url
from tests.clubs.helpers import CLUBS, bring_in
from tests.discussions.helpers import threads
from tests.meetings.date_polls.helpers import create as create_date_poll
from tests.meetings.date_polls.helpers import option_ids
from tests.meetings.date_polls.helpers import url as date_poll_url
from tests.meetings.helpers import url as meeting_url
from tests.reviews.helpers import REVIEWS

pytestmark = pytest.mark.django_db

Budget = Callable[[int], AbstractContextManager[Any]]


@pytest.fixture
def budget(django_assert_num_queries: Callable[..., Any]) -> Budget:
    return django_assert_num_queries


@pytest.fixture
def books(db: None) -> list[Book]:
    return [Book.create_book(by=None, title=f"Book {n}", authors=["A"]) for n in range(3)]


@pytest.fixture
def entries(club: Club, alice: User, books: list[Book]) -> list[Entry]:
    return [Entry.add_entry(club=club, book=book, by=alice) for book in books]


def succeed(call: Callable[[], Any]) -> Any:
    response = call()
    assert response.status_code < 300, response.content
    return response


def test_review_creation_budget(as_charlie: APIClient, books: list[Book], budget: Budget) -> None:
    body = {"book": books[0].pk, "rating": 4, "body": "B"}
    # Session with user; transaction (two); user locked and counted; lock of book, with whether a club of the user lists
    # it; review; book and memberships updated; counters and cache versions; event.
    with budget(10):
        succeed(partial(as_charlie.post, f"/api/v1/books/{books[1].pk}/reviews/", {"rating": 3}))
    # And the book that the body names.
    with budget(11):
        succeed(partial(as_charlie.post, REVIEWS, body))
    # And the claim on the key in a transaction (three); the outer transaction (two); the stored response.
    with budget(17):
        succeed(partial(as_charlie.post, REVIEWS, {**body, "book": books[2].pk}, HTTP_IDEMPOTENCY_KEY="k"))


def test_review_creation_budget_of_a_listed_book(
    as_bob: APIClient, bob: User, alice: User, entries: list[Entry], budget: Budget
) -> None:
    # As without clubs; the entries; their ratings. More clubs with the book on their list take no more statements.
    with budget(13):
        succeed(partial(as_bob.post, REVIEWS, {"book": entries[0].book_id, "rating": 4}))
    other = Club.create_club(by=bob, name="Other")
    Entry.add_entry(club=other, book=entries[1].book, by=bob)
    with budget(13):
        succeed(partial(as_bob.post, REVIEWS, {"book": entries[1].book_id, "rating": 4}))


def test_private_review_creation_budget(as_charlie: APIClient, books: list[Book], budget: Budget) -> None:
    # Session with user; book; transaction (two); locks of user and book; review; event.
    with budget(8):
        succeed(partial(as_charlie.post, REVIEWS, {"book": books[0].pk, "rating": 4, "visibility": "private"}))


def test_review_change_budget(as_charlie: APIClient, books: list[Book], budget: Budget) -> None:
    review = as_charlie.post(REVIEWS, {"book": books[0].pk, "rating": 4})["Location"]
    # Session with user; review with book; transaction (two); locks of user, book (its id first) and review; review
    # and book updated; entries of the user's clubs; counters and cache versions; event.
    with budget(13):
        succeed(partial(as_charlie.patch, review, {"rating": 3.5}))
    # As above, without the entries, which depend on ratings only; the book is unchanged, but not its cache versions.
    with budget(11):
        succeed(partial(as_charlie.patch, review, {"title": "T"}))
    # Session with user; review with book; transaction (two); locks of user, book (its id first) and review; event;
    # imported review, likes and review deleted; its case; book and user updated; memberships; entries of the user's
    # clubs; counters and cache versions.
    with budget(18):
        succeed(partial(as_charlie.delete, review))


def test_progress_budget(as_bob: APIClient, club: Club, entries: list[Entry], budget: Budget) -> None:
    url = f"{CLUBS}{club.pk}/books/{entries[0].pk}/progress/"
    # Session with user; club; entry with book; transaction (two); locks of membership and of entry with the former
    # progress; progress saved; membership and entry updated; reading found and saved; changes; event.
    with budget(14):
        succeed(partial(as_bob.put, url, {"percent": 10}))
    with budget(14):
        succeed(partial(as_bob.put, url, {"percent": 20}))


def test_vote_budget(as_bob: APIClient, club: Club, entries: list[Entry], budget: Budget) -> None:
    ballot = poll(club, entries, method="approval")
    vote = ballot_url(club, ballot, "vote/")
    # Session with user; club; ballot; transaction (two); locks of user and of ballot, if a member; candidates; vote
    # updated; vote added; change; pause by a moderator ended.
    with budget(12):
        succeed(partial(as_bob.put, vote, {"approved": [entries[0].pk]}))
    with budget(11):
        succeed(partial(as_bob.put, vote, {"approved": [entries[1].pk]}))
    with budget(9):
        succeed(partial(as_bob.delete, vote))


def test_post_budget(as_bob: APIClient, club: Club, alice: User, entries: list[Entry], budget: Budget) -> None:
    chat = Thread.create_thread(club=club, by=alice, title="T", body="B")
    # Session with user; club; thread; transaction (two); locks of club and thread; post; thread and membership
    # updated; pause by a moderator ended; change; event.
    with budget(13):
        succeed(partial(as_bob.post, threads(club, chat, "posts/"), {"body": "Me"}))
    about_book = Thread.create_thread(club=club, by=alice, title="T", body="B", entry=entries[0])
    # And the post it replies to, locked as well; own progress; the thread's author; blocks in the thread; blocks,
    # preferences with the verified address, notification with its change, and e-mail task of Alice.
    reply_to = about_book.posts.get().pk
    with budget(23):
        succeed(partial(as_bob.post, threads(club, about_book, "posts/"), {"body": "Me", "reply_to": reply_to}))


def test_rsvp_budget(as_bob: APIClient, club: Club, alice: User, budget: Budget) -> None:
    meeting = Meeting.create_meeting(club=club, by=alice, title="Tea", starts_at=timezone.now() + timedelta(days=9))
    url = meeting_url(meeting, "rsvp/")
    # Session with user; club; meeting; transaction (two); locks of user and of meeting, if a member; former RSVP; RSVP
    # saved; meeting updated; change; event; membership updated; pause by a moderator ended.
    for answer in ("yes", "no", "maybe"):
        with budget(14):
            succeed(partial(as_bob.put, url, {"answer": answer}))
    with budget(9):
        succeed(partial(as_bob.put, url, {"answer": "maybe"}))


def test_date_answer_budget(as_bob: APIClient, club: Club, budget: Budget) -> None:
    poll = create_date_poll(club)
    first, second, _third = option_ids(poll)
    url = date_poll_url(club, poll, "answer/")
    # Session with user; club; poll; transaction (two); locks of user and of poll, if a member; dates; pause; former
    # answer; answer saved; former choices deleted; choices; change; event; membership updated.
    with budget(16):
        succeed(partial(as_bob.put, url, {"yes": [first], "maybe": [second]}))
    # And the former choices.
    with budget(17):
        succeed(partial(as_bob.put, url, {"yes": [second]}))
    with budget(11):
        succeed(partial(as_bob.put, url, {"yes": [second]}))


def test_meeting_budgets(as_alice: APIClient, club: Club, alice: User, moe: User, budget: Budget) -> None:
    meeting = Meeting.create_meeting(club=club, by=alice, title="Tea", starts_at=timezone.now() + timedelta(days=9))
    # Session with user; club; meeting; transaction (two); lock of meeting; meeting updated; event; task; silent members
    # counted, with the club for its day.
    with budget(11):
        succeed(partial(as_alice.post, meeting_url(meeting, "rsvps/remind/")))
    # Session with user; club; meeting; own RSVP; transaction (two); locks of user, club and meeting, with the club of
    # the meeting; meeting and RSVPs updated; reminder (three); change; seals; event; whether answers are asked for;
    # task; meeting and own RSVP for the response.
    with budget(22):
        succeed(partial(as_alice.patch, meeting_url(meeting), {"starts_at": timezone.now() + timedelta(days=11)}))
    past = Meeting.create_meeting(club=club, by=alice, title="Tea", starts_at=timezone.now() - timedelta(days=9))
    # Session with user; club; meeting; attendance; transaction (two); locks of user, club and meeting; members; others
    # deleted; attendance read and saved; meeting updated; change; event. More members take no more statements.
    with budget(16):
        succeed(partial(as_alice.put, meeting_url(past, "attendance/"), {"attended": [alice.pk, moe.pk], "others": 2}))


def test_date_poll_close_budget(as_alice: APIClient, club: Club, budget: Budget) -> None:
    poll = create_date_poll(club)
    # Session with user; club; poll, twice, with dates and own answer; transaction (two); users with an answer; locks of
    # users, club and poll; dates; event; poll updated; change; poll with dates and own answer for the response.
    with budget(19):
        succeed(partial(as_alice.post, date_poll_url(club, poll, "close/")))


def test_pause_budgets(as_alice: APIClient, as_bob: APIClient, club: Club, bob: User, budget: Budget) -> None:
    url = f"{CLUBS}{club.pk}/pause/"
    # Session with user; club; membership; transaction (two); locks of user and club; membership read and updated;
    # event.
    with budget(10):
        succeed(partial(as_bob.put, url, {"until": None}))
    with budget(10):
        succeed(partial(as_bob.delete, url))
    # Session with user; club; transaction (two); locks of users and club; membership of the moderator; memberships;
    # pauses begun; memberships updated; events; and the notifications: blocks, preferences, rows and changes.
    with budget(15):
        succeed(partial(as_alice.post, f"{CLUBS}{club.pk}/members/bulk/", {"action": "pause", "users": [bob.pk]}))


@pytest.mark.parametrize(
    ("action", "status", "common", "for_each"),
    [
        # Session with user; club; transaction (two); locks of users and club; membership of the moderator; memberships.
        # For each user a savepoint (two); locks of user and club; both memberships; members counted; change; membership
        # updated; statistics (two); event; notification (blocks, preferences, row, change).
        ("approve", "pending", 8, 16),
        # For each user as far as the memberships; event; request, preferences and notifications deleted.
        ("refuse", "pending", 8, 10),
        # As far as the memberships; event; members counted; membership updated; statistics (two); copies (two), date
        # answers, RSVPs, opinions and activity; preferences and notifications deleted; change.
        ("remove", "active", 8, 21),
        # For all: pauses begun; memberships updated; events; blocks, preferences, notifications and their changes.
        ("pause", "active", 15, 0),
    ],
)
def test_bulk_budgets(
    as_alice: APIClient,
    club: Club,
    make_user: Callable[..., User],
    budget: Budget,
    action: str,
    status: str,
    common: int,
    for_each: int,
) -> None:
    users = [make_user(f"reader{n}") for n in range(8)]
    for user in users:
        bring_in(club, user, status=status)
    for some in (users[:2], users[2:]):
        with budget(common + for_each * len(some)):
            body = {"action": action, "users": [user.pk for user in some]}
            assert succeed(partial(as_alice.post, f"{CLUBS}{club.pk}/members/bulk/", body)).json()["refused"] == []


@pytest.mark.parametrize("books", [0, 3])
def test_invitation_preview_budget(
    anonymous: APIClient,
    as_alice: APIClient,
    as_charlie: APIClient,
    club: Club,
    alice: User,
    budget: Budget,
    books: int,
) -> None:
    for n in range(books):
        Entry.add_entry(club=club, book=Book.create_book(by=None, title=f"T{n}", authors=["A"]), by=alice)
    code = succeed(partial(as_alice.post, f"{CLUBS}{club.pk}/invites/", {})).json()["code"]
    # The invitation with club and user; whether the caller is banned.
    with budget(2):
        succeed(partial(anonymous.post, "/api/v1/invites/preview/", {"code": code}))
    # And the session with user.
    with budget(3):
        succeed(partial(as_charlie.post, "/api/v1/invites/preview/", {"code": code}))


def test_shift_budget(as_alice: APIClient, club: Club, alice: User, entries: list[Entry], budget: Budget) -> None:
    Meeting.create_meeting(
        club=club, by=alice, title="Tea", starts_at=timezone.now() + timedelta(days=9), entry=entries[0]
    )
    # Session with user; club; entry; transaction (two); locks of user, club, book (its id first) and entry; milestones
    # and meetings; for each meeting the meeting and RSVPs updated, the reminder (three) and the event; changes; seals;
    # event; task.
    with budget(22):
        shift = {"days": 7, "from": f"{club.today}", "meetings": True}
        succeed(partial(as_alice.post, f"{CLUBS}{club.pk}/books/{entries[0].pk}/shift/", shift))


def test_announcement_budget(as_alice: APIClient, club: Club, budget: Budget) -> None:
    # Session with user; club; transaction (two); lock of club; announcements of the day; thread and post; thread and
    # membership updated; pause by a moderator ended; changes; two events; task; thread for the response.
    with budget(16):
        succeed(partial(as_alice.post, threads(club), {"title": "T", "body": "B", "announce": True}))


@pytest.mark.parametrize(
    ("first", "changed", "mean"),
    [(0.5, 5, "5.00"), (4, 3.5, "3.50"), (5, None, None), (None, 0.5, "0.50")],
)
def test_changed_rating_updates_the_mean_at_once(
    as_charlie: APIClient, books: list[Book], first: float | None, changed: float | None, mean: str | None
) -> None:
    review = as_charlie.post(REVIEWS, {"book": books[0].pk, "rating": first, "body": "B"})["Location"]
    succeed(partial(as_charlie.patch, review, {"rating": changed}))
    books[0].refresh_from_db()
    assert books[0].average_rating == (mean and Decimal(mean))
    assert sum(books[0].histogram.values()) == books[0].ratings_count == int(changed is not None)
