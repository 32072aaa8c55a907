"""Walk through the API with the generated client: python walk.py http://127.0.0.1:8000."""

import datetime
import os
import sys
from collections.abc import Callable
from typing import TypeVar

from book_bridge_client import AuthenticatedClient, Client
from book_bridge_client.api.accounts import get_current_user, get_user, list_sessions, list_users, login, register
from book_bridge_client.api.activity import (
    get_home,
    get_notification_settings,
    list_club_activity,
    list_my_activity,
    list_notifications,
)
from book_bridge_client.api.ballots import close_ballot, create_ballot, list_ballots, vote
from book_bridge_client.api.books import create_book, get_book, list_books
from book_bridge_client.api.clubs import create_club, get_club, list_clubs
from book_bridge_client.api.discussions import create_thread, create_thread_post, list_thread_posts, list_threads
from book_bridge_client.api.meetings import create_meeting, list_meetings, set_rsvp
from book_bridge_client.api.members import accept_invitation, create_invitation, list_members
from book_bridge_client.api.reading_list import (
    create_reading_list_entry,
    list_milestones,
    list_progress,
    list_reading_list_entries,
    set_progress,
)
from book_bridge_client.api.reviews import create_review, list_book_reviews, list_club_reviews, list_reviews
from book_bridge_client.api.statistics import (
    get_book_statistics,
    get_club_statistics,
    get_my_statistics,
    get_platform_statistics,
)
from book_bridge_client.models import (
    BallotCreateRequest,
    BallotOutcome,
    BookRequest,
    ClubRequest,
    ClubRole,
    ClubVisibility,
    EntryCreateRequest,
    InvitationAcceptRequest,
    InvitationCreateRequest,
    ListBooksOrdering,
    LoginRequest,
    MeetingCreateRequest,
    PostCreateRequest,
    Problem,
    ProgressRequest,
    RegisterRequest,
    ReviewCreateRequest,
    RsvpAnswer,
    RsvpStatus,
    RsvpUpdateRequest,
    ThreadCreateRequest,
    VoteRequest,
    VotingMethod,
)

BASE_URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
PASSWORD = "um-bom-segredo"  # noqa: S105  # that of the demo users
PAGE = 100

T = TypeVar("T")
calls = 0


def ok(answer: T | Problem | None) -> T:
    """Return the object of a response, or raise an error with its problem."""
    global calls
    calls += 1
    if answer is None or isinstance(answer, Problem):
        raise AssertionError(answer)
    return answer


def expect(condition: bool, what: object) -> None:
    """Raise an error if the condition does not hold."""
    if not condition:
        raise AssertionError(what)


def signed_in(token: str) -> AuthenticatedClient:
    """Return a client of the user with this token."""
    return AuthenticatedClient(base_url=BASE_URL, token=token, raise_on_unexpected_status=True)


def open_account(name: str) -> AuthenticatedClient:
    """Register a user and return their client."""
    body = RegisterRequest(username=f"{name}-py-{os.getpid()}", password=PASSWORD)
    return signed_in(ok(register.sync(client=Client(base_url=BASE_URL), body=body)).access)


def walk() -> None:
    """Follow the README: two people, a club, a book, a discussion, a ballot, a meeting, a review."""
    ana, bento = open_account("ana"), open_account("bento")
    request = ClubRequest(name="Sertão", visibility=ClubVisibility.PRIVATE, timezone="America/Bahia")
    club = ok(create_club.sync(client=ana, body=request))
    expect(club.my_role == ClubRole.OWNER, club)
    hidden = get_club.sync(club.id, client=bento)
    expect(isinstance(hidden, Problem) and hidden.code == "not_found", hidden)
    code = ok(create_invitation.sync(club.id, client=ana, body=InvitationCreateRequest())).code
    joined = ok(accept_invitation.sync(client=bento, body=InvitationAcceptRequest(code=code)))
    expect(joined.role == ClubRole.MEMBER, joined)
    expect([mine.name for mine in ok(list_clubs.sync(client=ana, mine=True)).results] == ["Sertão"], "my clubs")

    added = create_book.sync(
        client=ana,
        body=BookRequest(title="Torto Arado", author="Itamar Vieira Junior", isbn="978-65-80309-31-3"),
    )
    if isinstance(added, Problem):
        expect(added.code == "duplicate_isbn", added)
        book_id = ok(list_books.sync(client=ana, isbn="9786580309313")).results[0].id
    else:
        book_id = ok(added).id
    entry = ok(create_reading_list_entry.sync(club.id, client=bento, body=EntryCreateRequest(book=book_id)))
    progress = set_progress.sync(club.id, entry.id, client=bento, body=ProgressRequest(page=131, page_count=262))
    expect(ok(progress).percent == 50, progress)

    opening = ThreadCreateRequest(title="A faca", body="Foi Belonísia.", entry=entry.id)
    thread = ok(create_thread.sync(club.id, client=bento, body=opening))
    reply = PostCreateRequest(body="Ainda não li.", spoiler_percent=10)
    expect(ok(create_thread_post.sync(club.id, thread.id, client=bento, body=reply)).spoiler_percent == 10, "reply")
    seen = ok(list_thread_posts.sync(club.id, thread.id, client=ana)).results
    shown = [(post.body, post.locked, post.unlocks_at_percent) for post in seen]
    expect(shown == [(None, True, 50), (None, True, 10)], shown)

    other = ok(create_reading_list_entry.sync(club.id, client=ana, body=EntryCreateRequest(book=1)))
    candidates = [entry.id, other.id]
    closes_at = datetime.datetime(2099, 1, 1, tzinfo=datetime.UTC)
    proposal = BallotCreateRequest(title="Next", method=VotingMethod.RANKED, candidates=candidates, closes_at=closes_at)
    ballot = ok(create_ballot.sync(club.id, client=ana, body=proposal))
    cast_vote = ok(vote.sync(club.id, ballot.id, client=bento, body=VoteRequest(ranking=candidates)))
    expect(cast_vote.ranking == candidates, cast_vote)
    result = ok(close_ballot.sync(club.id, ballot.id, client=ana)).result
    expect(result is not None and result.outcome == BallotOutcome.WINNER and result.winner == entry.id, result)

    starts_at = datetime.datetime.fromisoformat("2099-01-10T19:00:00-03:00")
    plan = MeetingCreateRequest(title="Torto Arado", starts_at=starts_at, duration_minutes=90, capacity=12)
    meeting = ok(create_meeting.sync(club.id, client=ana, body=plan))
    expect(meeting.starts_at == starts_at, meeting)
    rsvp = ok(set_rsvp.sync(club.id, meeting.id, client=bento, body=RsvpUpdateRequest(answer=RsvpAnswer.YES)))
    expect(rsvp.answer == RsvpStatus.YES, rsvp)

    opinion = ReviewCreateRequest(book=book_id, rating=4.5, body="Uma lâmina.", contains_spoilers=True)
    expect(ok(create_review.sync(client=ana, body=opinion)).rating == 4.5, "review")
    statistics = ok(get_club_statistics.sync(club.id, client=ana))
    expect((statistics.members, statistics.mean_rating) == (2, 4.5), statistics)
    expect(statistics.rating_histogram["4.5"] == 1, statistics.rating_histogram)


def read_club(club_id: int, api: AuthenticatedClient) -> None:
    """Read all lists of a club, if the user is a member."""
    if ok(get_club.sync(club_id, client=api)).my_role is None:
        return
    ok(get_club_statistics.sync(club_id, client=api))
    ok(list_club_activity.sync(club_id, client=api, page_size=PAGE))
    ok(list_members.sync(club_id, client=api, page_size=PAGE))
    ok(list_meetings.sync(club_id, client=api, page_size=PAGE))
    ok(list_club_reviews.sync(club_id, client=api, page_size=PAGE))
    ok(list_ballots.sync(club_id, client=api, page_size=PAGE))
    for entry in ok(list_reading_list_entries.sync(club_id, client=api, page_size=PAGE)).results:
        ok(list_milestones.sync(club_id, entry.id, client=api))
        ok(list_progress.sync(club_id, entry.id, client=api))
    for thread in ok(list_threads.sync(club_id, client=api, page_size=PAGE)).results:
        ok(list_thread_posts.sync(club_id, thread.id, client=api, page_size=PAGE))


def read_demo() -> None:
    """Read what the demo data has of everything."""
    account = LoginRequest(username="ana.ribeiro", password=PASSWORD)
    api = signed_in(ok(login.sync(client=Client(base_url=BASE_URL), body=account)).access)
    books = ok(list_books.sync(client=api, page_size=PAGE, ordering=ListBooksOrdering.TITLE_ASCENDING))
    expect(len(books.results) > 50 and books.next_ is not None, "books")
    for book in books.results[:5]:
        ok(get_book.sync(book.id, client=api))
        ok(get_book_statistics.sync(book.id, client=api))
        ok(list_book_reviews.sync(book.id, client=api))
    for club in ok(list_clubs.sync(client=api, page_size=PAGE)).results:
        read_club(club.id, api)
    ok(list_reviews.sync(client=api, page_size=PAGE))
    ok(list_users.sync(client=api, page_size=PAGE))
    ok(get_user.sync("ana.ribeiro", client=api))
    own: list[Callable[[], object]] = [
        lambda: get_platform_statistics.sync(client=api),
        lambda: get_current_user.sync(client=api),
        lambda: get_home.sync(client=api),
        lambda: get_my_statistics.sync(client=api),
        lambda: list_my_activity.sync(client=api),
        lambda: list_notifications.sync(client=api),
        lambda: get_notification_settings.sync(client=api),
        lambda: list_sessions.sync(client=api),
    ]
    for call in own:
        ok(call())


walk()
read_demo()
sys.stdout.write(f"{calls} responses decoded\n")
