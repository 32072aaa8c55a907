"""Every 409 names what it is about, in the shapes in which other responses refer to it."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from ballots.models import Ballot
from catalog.models import Book
from clubs.models import Entry
from discussions.models import MAX_DISTINCT_EMOJI, Post, Reaction, Thread
from meetings.models import Meeting
from moderation.models import Appeal, Report
from reviews.models import Review, ReviewImport
from tests.accounts.conftest import token_in
from tests.ballots.helpers import body as ballot_body
from tests.ballots.helpers import later, poll
from tests.ballots.helpers import url as ballots
from tests.clubs.helpers import ACCEPT, CLUBS, bring_in, problem
from tests.conftest import PASSWORD
from tests.discussions.helpers import posts, reaction, threads
from tests.meetings.helpers import url as meetings
from tests.moderation.helpers import appeal, report
from tests.reviews.exports import goodreads
from tests.test_schema_is_true import ADMIN_MODULES, APPS, ROOT

pytestmark = pytest.mark.django_db
V1 = "/api/v1/"
STANDARD = {"type", "title", "status", "detail", "code", "request_id"}


def subject(response: Any, code: str) -> dict[str, Any]:
    """Return what a 409 names."""
    return {name: value for name, value in problem(response, 409, code).items() if name not in STANDARD}


def book_ref(book: Book) -> dict[str, Any]:
    return {"id": book.pk, "title": book.title, "author": book.author, "cover_url": None}


def user_ref(user: Any) -> dict[str, Any]:
    return {"id": user.pk, "username": user.username, "display_name": user.display_name, "avatar_url": None}


@pytest.fixture
def add_entry(club, alice):
    def add(title="Emma", **fields):
        book = Book.create_book(by=alice, title=title, authors=["Jane Austen"])
        return Entry.add_entry(club=club, book=book, by=alice, **fields)

    return add


def test_membership_conflicts_name_the_club(club, alice, charlie, as_alice, as_bob, as_charlie):
    about = {"club": {"id": club.pk, "name": club.name}}
    path = f"{CLUBS}{club.pk}/"
    code = as_alice.post(f"{path}invites/", {"max_uses": 5}).json()["code"]
    assert subject(as_bob.post(f"{path}join/"), "already_member") == about
    assert subject(as_bob.post(ACCEPT, {"code": code}), "already_member") == about
    assert subject(as_alice.post(f"{path}leave/"), "owner_must_transfer") == about
    assert subject(as_alice.patch(path, {"member_limit": 2}), "limit_below_members") == about
    as_alice.patch(path, {"member_limit": 3})
    assert subject(as_charlie.post(f"{path}join/"), "club_full") == about
    assert subject(as_charlie.post(ACCEPT, {"code": code}), "club_full") == about
    bring_in(club, charlie, status="pending")
    assert subject(as_charlie.post(f"{path}join/"), "already_member") == about
    assert subject(as_alice.patch(f"{path}members/{charlie.pk}/", {"status": "active"}), "club_full") == about


def test_member_conflicts_name_the_user(club, charlie, mallory, as_alice):
    bring_in(club, charlie, status="banned")
    bring_in(club, mallory, status="pending")
    path = f"{CLUBS}{club.pk}/members/"
    response = as_alice.patch(f"{path}{charlie.pk}/", {"status": "active"})
    assert subject(response, "not_pending") == {"user": user_ref(charlie)}
    response = as_alice.patch(f"{path}{mallory.pk}/", {"role": "moderator"})
    assert subject(response, "not_a_member") == {"user": user_ref(mallory)}


def test_reading_list_conflicts_name_the_entry(club, add_entry, as_moe):
    entry = add_entry()
    response = as_moe.post(f"{CLUBS}{club.pk}/books/", {"book": entry.book_id})
    assert subject(response, "already_listed") == {"entry": entry.pk}
    response = as_moe.patch(f"{CLUBS}{club.pk}/books/{entry.pk}/", {"status": "finished"})
    assert subject(response, "illegal_transition") == {"entry": entry.pk, "allowed": ["dropped", "planned"]}


@pytest.mark.parametrize("path", ["reviews/", "books/{book}/reviews/"])
def test_second_review_names_the_first_and_the_book(as_alice, as_bob, alice, bob, path):
    book = Book.create_book(by=alice, title="Emma", authors=["Jane Austen"])
    Review.create_review(book=book, by=bob, rating=2)
    for visibility in ("private", "public"):
        first = Review.create_review(book=book, by=alice, rating=8, visibility=visibility)
        response = as_alice.post(f"{V1}{path.format(book=book.pk)}", {"book": book.pk, "rating": 4})
        assert subject(response, "already_reviewed") == {"review": first.pk, "book": book_ref(book)}
        first.delete_review()


def test_book_in_use_names_the_book(add_entry, as_alice, alice, bob):
    listed = add_entry().book
    reviewed = Book.create_book(by=alice, title="Persuasion", authors=["Jane Austen"])
    Review.create_review(book=reviewed, by=bob, rating=8)
    for book in (listed, reviewed):
        assert subject(as_alice.delete(f"{V1}books/{book.pk}/"), "book_in_use") == {"book": book_ref(book)}


def test_meeting_conflicts_name_the_meeting(club, alice, as_moe, as_bob):
    def make(**fields):
        body = {"title": "Tea", "starts_at": later(days=1)} | fields
        return Meeting.objects.get(pk=as_moe.post(meetings(club), body).json()["id"])

    cancelled, over, seats = make(status="cancelled"), make(starts_at="2001-01-01T10:00:00Z"), make(capacity=3)
    answer = {"answer": "maybe"}
    assert subject(as_bob.put(meetings(cancelled, "rsvp/"), answer), "meeting_cancelled") == {"meeting": cancelled.pk}
    response = as_moe.put(meetings(cancelled, "attendance/"), {"attended": []})
    assert subject(response, "meeting_cancelled") == {"meeting": cancelled.pk}
    assert subject(as_bob.put(meetings(over, "rsvp/"), answer), "meeting_over") == {"meeting": over.pk}
    assert subject(as_bob.put(meetings(seats, "rsvp/"), answer), "no_maybe") == {"meeting": seats.pk}


def test_ballot_conflicts_name_the_ballot_or_the_club(club, add_entry, as_moe, as_bob, monkeypatch):
    entries = [add_entry("Emma"), add_entry("Persuasion")]
    ballot = poll(club, entries)
    monkeypatch.setattr("ballots.models.ballots.MAX_OPEN_BALLOTS", 1)
    response = as_moe.post(ballots(club), ballot_body(entries))
    assert subject(response, "too_many_ballots") == {"club": {"id": club.pk, "name": club.name}}
    assert as_moe.post(ballots(club, ballot, "close/")).status_code == 200
    about = {"ballot": ballot.pk}
    assert subject(as_moe.post(ballots(club, ballot, "close/")), "ballot_closed") == about
    assert subject(as_bob.put(ballots(club, ballot, "vote/"), {"ranking": [entries[0].pk]}), "ballot_closed") == about
    assert subject(as_bob.delete(ballots(club, ballot, "vote/")), "ballot_closed") == about
    assert Ballot.objects.count() == 1


def test_discussion_conflicts_name_the_thread_or_the_post(club, alice, bob, as_alice, as_bob, as_moe):
    thread = Thread.create_thread(club=club, by=alice, title="T", body="B")
    post, deleted = thread.posts.get(), Post.create_post(thread=thread, by=bob, body="Me")
    Reaction.objects.bulk_create(
        Reaction(post=post, user=bob, emoji=chr(0x1F600 + n), key=chr(0x1F600 + n)) for n in range(MAX_DISTINCT_EMOJI)
    )
    assert subject(as_moe.put(reaction(club, post, "🎉")), "too_many_reactions") == {"post": post.pk}
    deleted.soft_delete(by=bob)
    for response in (
        as_bob.delete(posts(club, deleted)),
        as_bob.patch(posts(club, deleted), {"body": "B"}),
        as_moe.put(posts(club, deleted, "reveal/")),
        as_moe.put(reaction(club, deleted, "🎉")),
    ):
        assert subject(response, "post_deleted") == {"post": deleted.pk}
    as_moe.patch(threads(club, thread), {"closed": True})
    for response in (
        as_bob.post(threads(club, thread, "posts/"), {"body": "B"}),
        as_alice.patch(threads(club, thread), {"title": "U"}),
        as_alice.patch(posts(club, post), {"body": "C"}),
        as_moe.put(reaction(club, post, "🎉")),
    ):
        assert subject(response, "thread_closed") == {"thread": thread.pk}


def test_second_report_names_the_first(club, as_charlie, as_mallory):
    report(as_mallory, club)
    report(as_charlie, club)
    own = Report.objects.get(reporter__username="charlie")
    assert subject(report(as_charlie, club), "already_reported") == {"report": own.pk}


def test_appeal_conflicts_name_the_appeal_or_the_target(club, as_alice, client_of, make_user, settings):
    settings.REPORTS_TO_HIDE = 1
    book = Book.create_book(by=None, title="Emma", authors=["Jane Austen"])
    review = Review.create_review(book=book, by=club.owner, rating=8)
    about = {"target_type": "review", "target_id": review.pk}
    assert subject(appeal(as_alice, review), "nothing_to_appeal") == about
    report(client_of(make_user("dora")), review)
    assert appeal(as_alice, review).status_code == 201
    assert subject(appeal(as_alice, review), "already_appealed") == {"appeal": Appeal.objects.get().pk}


def test_too_many_imports_names_the_unfinished_ones(as_alice, alice):
    def upload():
        body = {"file": SimpleUploadedFile("export.csv", goodreads({}), "text/csv"), "source": "goodreads"}
        return as_alice.post(f"{V1}users/me/imports/", body, format="multipart")

    unfinished = [upload().json()["id"] for _n in range(3)]
    assert subject(upload(), "too_many_imports") == {"imports": unfinished}
    assert ReviewImport.objects.count() == 3


def test_account_conflicts_name_the_username_or_the_address(
    anonymous, as_alice, alice, make_user, client_of, mailoutbox
):
    body = {"username": "ALICE", "password": "kq7-zxwv-93"}
    assert subject(anonymous.post(f"{V1}auth/register/", body), "username_taken") == {"username": "ALICE"}
    assert subject(as_alice.post(f"{V1}auth/email/verify/"), "nothing_to_verify") == {"email": alice.email}


def test_taken_address_is_named_to_who_has_its_token(anonymous, make_user, client_of, mailoutbox, settings):
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}
    dora = make_user("dora", email="dora@example.org", email_verified=True)
    body = {"email": "new@example.org", "current_password": PASSWORD}
    assert client_of(dora).post(f"{V1}auth/email/change/", body).status_code == 202
    [message] = [message for message in mailoutbox if "?token=" in message.body]
    make_user("emma", email="new@example.org", email_verified=True)
    response = anonymous.post(f"{V1}auth/email/verify/confirm/", {"token": token_in(message)})
    assert subject(response, "email_taken") == {"email": "new@example.org"}


def conflicts_in_source() -> Iterator[tuple[str, set[str]]]:
    """Yield the code of each `Conflict(...)` and the names of its references."""
    for path in (path for app in APPS for path in Path(ROOT / app).rglob("*.py")):
        if str(path.relative_to(ROOT)) in ADMIN_MODULES:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Conflict":
                assert isinstance(node.args[0], ast.Constant)
                yield str(node.args[0].value), {keyword.arg for keyword in node.keywords if keyword.arg}


def test_every_conflict_in_the_source_names_its_subject():
    found = list(conflicts_in_source())
    assert len(found) > 25
    # The fallback for a constraint that no code expected: what failed is not known.
    assert [code for code, names in found if not names] == ["conflict"]
