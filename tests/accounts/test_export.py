"""Everything held about the caller, one JSON document, and nothing of others."""

import json
from contextlib import closing
from decimal import Decimal

import pytest
from django.apps import apps
from django.conf import settings
from rest_framework.test import APIClient

from accounts import export
from accounts.blocks import Block
from accounts.models import User
from bookbridge.api.models import AuditEntry
from bookbridge.api.registry import export_sections
from catalog.models import Book
from clubs.models import Club, Entry, Membership, Post, Progress
from clubs.reading.rules import Mark, Unit
from reviews.models import Review
from tests.accounts.conftest import V1
from tests.clubs.helpers import CLUBS, bring_in

pytestmark = pytest.mark.django_db

EXPORT = f"{V1}users/me/export/"
# Each column that names a reader -> the section that tells of it, or why none does.
TOLD = {
    "accounts.Block.blocker": "blocks",
    "accounts.Block.blocked": None,  # the blocked must not learn of it
    "accounts.AuthSession.user": "sign_ins",
    "accounts.MailToken.user": "secrets",
    "accounts.SecondFactor.user": "secrets",
    "activity.Event.actor": "activity",
    "activity.Event.object_author": None,  # what others did
    "activity.Event.subject": "activity",
    "activity.Notification.actor": None,  # what others are told
    "activity.Notification.object_author": None,  # what others are told
    "activity.Notification.user": "notifications",
    "activity.Preference.user": "notification_settings",
    "admin.LogEntry.user": None,  # what staff did as staff
    "api.KeptAnswer.user": "retries",
    "catalog.Book.added_by": "books_added",
    "catalog.Merge.by": None,  # what staff did as staff
    "catalog.Merge.undone_by": None,  # what staff did as staff
    "catalog.Revision.editor": "book_changes",
    "clubs.Attendance.user": "attendance",
    "clubs.Ballot.created_by": "ballots_opened",
    "clubs.CalendarToken.user": "calendar_token",
    "clubs.Club.owner": "clubs_owned",
    "clubs.Entry.added_by": "list_proposals",
    "clubs.EntryAside.added_by": "list_proposals_set_aside",
    "clubs.EntryChange.actor": "list_changes",
    "clubs.Invitation.created_by": "invitations",
    "clubs.MarkAside.user": "progress_set_aside",
    "clubs.Meeting.created_by": "meetings_called",
    "clubs.Membership.user": "memberships",
    "clubs.Post.author": "posts",
    "clubs.Progress.user": "progress",
    "clubs.Reaction.user": "reactions",
    "clubs.Reveal.user": "reveals",
    "clubs.Rsvp.user": "rsvps",
    "clubs.Thread.author": "threads",
    "clubs.Vote.user": "votes",
    "moderation.Appeal.author": "appeals",
    "moderation.Case.author": "decisions",
    "moderation.Decision.by": None,  # what staff did as staff
    "moderation.Decision.subject": "decisions",
    "moderation.Opening.by": None,  # what staff did as staff
    "moderation.Report.reporter": "reports",
    "reviews.Import.user": "imports",
    "reviews.Like.user": "likes",
    "reviews.LikeAside.user": "likes_set_aside",
    "reviews.Review.author": "reviews",
    "reviews.SetAside.author": "reviews_set_aside",
}


def exported(client):
    answer = client.get(EXPORT)
    assert answer.status_code == 200
    return json.loads(answer.getvalue())


def test_every_column_that_names_a_reader_is_told_of(alice, as_alice):
    columns = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.is_relation and field.related_model is User
    }
    assert columns == TOLD.keys()
    assert {name for name in TOLD.values() if name} <= exported(as_alice).keys()


def test_what_a_reader_wrote_is_in_it(alice, bob, as_alice, client_of):
    book = Book.add(by=alice, title="Emma", authors=["Jane Austen"])
    book.change(by=alice, description="A match-maker.")
    club = Club.found(by=alice, name="Night readers", visibility="private")
    bring_in(club, bob)
    entry = Entry.add(club=club, book=book, by=alice, note="Let us")
    Progress.set(entry=entry, by=alice, mark=Mark(Unit.PERCENT, Decimal(40), Decimal(100)), hidden=True)
    Review.write(book=book, by=alice, rating=9, visibility="private", body="For me alone")
    Block.objects.place(on=bob, by=alice)
    thread = as_alice.post(f"{CLUBS}{club.pk}/threads/", {"title": "Who?", "body": "Is it her?"}).json()
    other = Book.add(by=None, title="Emma", authors=["Nobody"])
    as_alice.post(f"{V1}reports/", {"target_type": "book", "target_id": other.pk, "reason": "spam", "note": "Odd"})
    told = exported(as_alice)
    assert told["account"]["email"] == "alice@example.org"
    assert [row["device"] for row in told["sign_ins"]] == ["tests"]
    assert [row["username"] for row in told["blocks"]] == ["bob"]
    assert [row["title"] for row in told["books_added"]] == ["Emma"]
    assert [row["changes"] for row in told["book_changes"]] == [{"description": "A match-maker."}]
    assert [(row["club_name"], row["status"]) for row in told["memberships"]] == [("Night readers", "active")]
    assert [(row["book_title"], row["state"], row["words"]) for row in told["list_proposals"]] == [
        ("Emma", "proposed", "Let us")
    ]
    assert [(row["percent"], row["hidden"], row["club"]) for row in told["progress"]] == [(40.0, True, club.pk)]
    assert [(row["rating"], row["body"]) for row in told["reviews"]] == [(4.5, "For me alone")]
    assert [(row["title"], row["id"]) for row in told["threads"]] == [("Who?", thread["id"])]
    assert [row["body"] for row in told["posts"]] == ["Is it her?"]
    assert [(row["note"], row["target_id"]) for row in told["reports"]] == [("Odd", other.pk)]
    assert "club.created" in {row["verb"] for row in told["activity"]}


def test_no_secret_and_nothing_that_others_wrote_is_in_it(alice, bob, as_alice, client_of):
    """A post that is locked for the reader, and what became of a club that has banned them."""
    club = Club.found(by=bob, name="Night readers", visibility="private")
    bring_in(club, alice)
    entry = Entry.add(club=club, book=Book.add(by=None, title="Emma", authors=["A"]), by=alice)
    body = {"title": "The end", "body": "Hush of the murderer", "entry": entry.pk, "spoiler_percent": 90}
    thread = client_of(bob).post(f"{CLUBS}{club.pk}/threads/", body).json()
    first = Post.objects.get(thread=thread["id"])
    as_alice.post(f"{CLUBS}{club.pk}/threads/{thread['id']}/posts/", {"body": "My answer", "reply_to": first.pk})
    row = Membership.objects.get(club=club, user=alice)
    row.change(by=bob, status="banned")
    club.change(by=bob, name="Hush of a new name")
    entry.change(by=bob, note="Hush of a new note")
    text = as_alice.get(EXPORT).getvalue().decode()
    assert "My answer" in text
    assert "Hush" not in text
    for secret in (alice.password, "argon2", "md5$", "digest", "jti", "BEGIN"):
        assert secret not in text


# Not in one transaction: an answer that is closed unread ends the connection of one.
@pytest.mark.django_db(transaction=True)
def test_it_is_a_file_with_an_etag_and_is_audited(alice, as_alice, anonymous):
    answer = as_alice.get(EXPORT)
    assert answer["Content-Type"] == "application/json"
    assert answer["Content-Disposition"] == 'attachment; filename="bookbridge-alice.json"'
    assert int(answer["Content-Length"]) == len(answer.getvalue()) > 100
    assert answer["Cache-Control"] == "private, no-cache"
    with closing(as_alice.head(EXPORT)) as head:
        assert head["ETag"] == answer["ETag"]
    unchanged = as_alice.get(EXPORT, HTTP_IF_NONE_MATCH=answer["ETag"])
    assert (unchanged.status_code, unchanged["ETag"]) == (304, answer["ETag"])
    as_alice.patch(f"{V1}users/me/", {"bio": "New"})
    changed = as_alice.get(EXPORT, HTTP_IF_NONE_MATCH=answer["ETag"])
    told = json.loads(changed.getvalue())
    assert (changed.status_code, told["account"]["bio"]) == (200, "New")
    noted = AuditEntry.objects.filter(verb="account.exported", actor=alice.pk)
    assert [event["verb"] for event in told["activity"]].count("account.exported") == noted.count() == 2
    assert anonymous.get(EXPORT).status_code == 401
    assert as_alice.get(f"{EXPORT}?x=1").status_code == 400
    assert as_alice.post(EXPORT).status_code == 405


def test_it_is_read_part_by_part(alice, as_alice, monkeypatch):
    monkeypatch.setattr(export, "BATCH", 7)
    books = Book.objects.bulk_create(
        Book(title=f"Book {n}", title_key=f"book {n}", author="A", search_text="", added_by=alice) for n in range(50)
    )
    assert [row["title"] for row in exported(as_alice)["books_added"]] == [book.title for book in books]


def test_a_fault_half_way_is_an_error_and_no_torn_document(alice, as_alice, monkeypatch):
    def broken(user):
        yield {"id": 1}
        raise RuntimeError("half-way")

    monkeypatch.setitem(export_sections, "broken", broken)
    assert as_alice.get(EXPORT).status_code == 500
    assert APIClient().get(f"{V1}books/").status_code == 200
    assert settings.DEBUG is False
