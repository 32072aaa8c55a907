import datetime
import json
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db.models import (
    BinaryField,
    BooleanField,
    DateField,
    DateTimeField,
    DecimalField,
    IntegerField,
    Model,
    TimeField,
)
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator
from rest_framework.test import APIClient

from accounts import export
from accounts.blocks import Block
from accounts.models import User
from activity.push.models import Device
from catalog.models import Book
from clubs.models import Club, Entry, Membership, Progress
from clubs.reading.choices import ReadingPosition, Unit
from core.models import AuditEntry
from core.registry import export_sections
from discussions.models import Post
from reviews.models import Review
from tests.accounts.conftest import V1
from tests.clubs.helpers import CLUBS, bring_in

pytestmark = pytest.mark.django_db

EXPORT = f"{V1}users/me/export/"
# Each column that references a user -> the export section that contains it, or None with the reason.
SECTIONS = {
    "accounts.Block.blocker": "blocks",
    "accounts.Block.blocked": None,  # blocked users must not learn of it
    "accounts.AuthSession.user": "sign_ins",
    "accounts.EmailToken.user": "secrets",
    "accounts.TOTPDevice.user": "secrets",
    "activity.Event.actor": "activity",
    "activity.Event.object_author": None,  # content of others
    "activity.Event.subject": "activity",
    "activity.Notification.actor": None,  # notifications of others
    "activity.Notification.object_author": None,  # notifications of others
    "activity.Notification.user": "notifications",
    "activity.NotificationPreference.user": "notification_settings",
    "activity.ClubNotificationPreference.user": "club_notification_settings",
    "activity.EmailDigest.user": "daily_emails",
    "admin.LogEntry.user": None,  # staff actions
    "core.IdempotencyRecord.user": "retries",
    "catalog.Book.added_by": "books_added",
    "catalog.Merge.created_by": None,  # staff actions
    "catalog.Merge.undone_by": None,  # staff actions
    "catalog.ProposedEdition.proposed_by": "proposed_editions",
    "catalog.Revision.editor": "book_changes",
    "availability.Availability.user": "access_answers",
    "availability.Availability.lent_to": "books_borrowed",
    "meetings.Attendance.user": "attendance",
    "ballots.Ballot.created_by": "ballots_opened",
    "meetings.CalendarToken.user": "calendar_token",
    "clubs.Club.owner": "clubs_owned",
    "clubs.Entry.added_by": "list_proposals",
    "clubs.ArchivedEntry.added_by": "list_proposals_set_aside",
    "clubs.EntryChange.actor": "list_changes",
    "clubs.Invitation.created_by": "invitations",
    "clubs.ArchivedProgress.user": "progress_set_aside",
    "meetings.Meeting.created_by": "meetings_created",
    "clubs.Membership.user": "memberships",
    "discussions.Post.author": "posts",
    "clubs.Progress.user": "progress",
    "clubs.SpoilerConsent.user": "spoiler_consents",
    "readings.Reading.user": "readings",
    "discussions.Reaction.user": "reactions",
    "discussions.SpoilerReveal.user": "reveals",
    "meetings.Rsvp.user": "rsvps",
    "meetings.DatePoll.created_by": "date_polls_opened",
    "meetings.DateAnswer.user": "date_answers",
    "discussions.Thread.author": "threads",
    "ballots.Vote.user": "votes",
    "moderation.Appeal.author": "appeals",
    "moderation.Case.author": "decisions",
    "moderation.Decision.by": None,  # staff actions
    "moderation.Decision.subject": "decisions",
    "moderation.CaseView.by": None,  # staff actions
    "moderation.Report.reporter": "reports",
    "opinions.Opinion.user": "opinions",
    "opinions.ArchivedOpinion.user": "archived_opinions",
    "reviews.ReviewImport.user": "imports",
    "reviews.Like.user": "likes",
    "reviews.ArchivedLike.user": "archived_likes",
    "reviews.Review.author": "reviews",
    "reviews.ArchivedReview.author": "archived_reviews",
}


def exported(client):
    response = client.get(EXPORT)
    assert response.status_code == 200
    return json.loads(response.getvalue())


def test_every_user_column_is_exported_or_excluded(alice, as_alice):
    columns = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.is_relation and field.related_model is User
    }
    assert columns == SECTIONS.keys()
    assert {name for name in SECTIONS.values() if name} <= exported(as_alice).keys()


def test_export_contains_user_content(alice, bob, as_alice, client_of):
    book = Book.create_book(by=alice, title="Emma", authors=["Jane Austen"])
    book.update_book(by=alice, description="A match-maker.")
    club = Club.create_club(by=alice, name="Night readers", visibility="private")
    bring_in(club, bob)
    entry = Entry.add_entry(club=club, book=book, by=alice, note="Let us")
    Progress.set_progress(
        entry=entry, by=alice, position=ReadingPosition(Unit.PERCENT, Decimal(40), Decimal(100)), hidden=True
    )
    Review.create_review(book=book, by=alice, rating=9, visibility="private", body="For me alone")
    Block.objects.block(on=bob, by=alice)
    thread = as_alice.post(f"{CLUBS}{club.pk}/threads/", {"title": "Who?", "body": "Is it her?"}).json()
    other = Book.create_book(by=None, title="Emma", authors=["Nobody"])
    as_alice.post(f"{V1}reports/", {"target_type": "book", "target_id": other.pk, "reason": "spam", "note": "Odd"})
    export_data = exported(as_alice)
    assert export_data["account"]["email"] == "alice@example.org"
    assert [row["device"] for row in export_data["sign_ins"]] == ["tests"]
    assert [row["username"] for row in export_data["blocks"]] == ["bob"]
    assert [row["title"] for row in export_data["books_added"]] == ["Emma"]
    assert [row["changes"] for row in export_data["book_changes"]] == [{"description": "A match-maker."}]
    assert [(row["club_name"], row["status"]) for row in export_data["memberships"]] == [("Night readers", "active")]
    assert [(row["book_title"], row["state"], row["words"]) for row in export_data["list_proposals"]] == [
        ("Emma", "proposed", "Let us")
    ]
    assert [(row["percent"], row["hidden"], row["club"]) for row in export_data["progress"]] == [(40.0, True, club.pk)]
    assert [(row["rating"], row["body"]) for row in export_data["reviews"]] == [(4.5, "For me alone")]
    assert [(row["title"], row["id"]) for row in export_data["threads"]] == [("Who?", thread["id"])]
    assert [row["body"] for row in export_data["posts"]] == ["Is it her?"]
    assert [(row["note"], row["target_id"]) for row in export_data["reports"]] == [("Odd", other.pk)]
    assert "club.created" in {row["verb"] for row in export_data["activity"]}


def test_export_omits_secrets_and_content_of_others(alice, bob, as_alice, client_of):
    club = Club.create_club(by=bob, name="Night readers", visibility="private")
    bring_in(club, alice)
    entry = Entry.add_entry(club=club, book=Book.create_book(by=None, title="Emma", authors=["A"]), by=alice)
    body = {"title": "The end", "body": "Hush of the murderer", "entry": entry.pk, "spoiler_percent": 90}
    thread = client_of(bob).post(f"{CLUBS}{club.pk}/threads/", body).json()
    first = Post.objects.get(thread=thread["id"])
    as_alice.post(f"{CLUBS}{club.pk}/threads/{thread['id']}/posts/", {"body": "My answer", "reply_to": first.pk})
    row = Membership.objects.get(club=club, user=alice)
    row.update_membership(by=bob, status="banned")
    club.update_club(by=bob, name="Hush of a new name")
    entry.update_entry(by=bob, note="Hush of a new note")
    text = as_alice.get(EXPORT).getvalue().decode()
    assert "My answer" in text
    assert "Hush" not in text
    for secret in (alice.password, "argon2", "md5$", "digest", "jti", "BEGIN"):
        assert secret not in text


# Values of columns that have a format of their own or a constraint.
VALUES: dict[str, dict[str, Any]] = {
    "activity.Event": {"verb": "club.created", "object_type": "club"},
    "activity.Notification": {"object_type": "club"},
    "ballots.Vote": {"positions": [0]},
    "catalog.Revision": {"changes": {"authors": {"after": ["A"]}, "page_count": {"after": None}}},
    "reviews.ReviewImport": {"errors": [[3, "no_title"]], "remarks": {"no_rating": 2}},
}


def create_row(model: type[Model], user: User, **values: Any) -> Model:
    """Save a row of any model that refers to the user, with a value in every column and without validation."""
    values = VALUES.get(model._meta.label, {}) | values
    for field in model._meta.concrete_fields:
        if field.name in values or field.primary_key:
            continue
        if field.is_relation:
            other: Any = field.related_model
            found = user if other is User else other._base_manager.first()
            values[field.name] = found if found or field.null else create_row(other, user)
        elif field.choices:
            values[field.name] = field.flatchoices[0][0]
        elif isinstance(field, DateTimeField):
            values[field.name] = timezone.now()
        elif isinstance(field, DateField):
            values[field.name] = timezone.localdate()
        elif isinstance(field, TimeField):
            values[field.name] = datetime.time(20)
        elif isinstance(field, BinaryField):
            values[field.name] = b""
        elif isinstance(field, BooleanField):
            values[field.name] = False
        elif isinstance(field, IntegerField | DecimalField):
            values[field.name] = field.default if field.has_default() else 1
        elif not field.has_default():
            values[field.name] = "x"
    row = model(**values)
    row.save_base(raw=True, force_insert=True)
    return row


def test_export_of_every_section_matches_the_document(alice: User, bob: User, club: Club, as_alice: APIClient) -> None:
    book = Book.create_book(by=alice, title="Emma", authors=["Jane Austen"])
    Entry.add_entry(club=club, book=book, by=alice)
    as_alice.post(f"{CLUBS}{club.pk}/threads/", {"title": "Who?", "body": "Is it her?"})
    document = SchemaGenerator().get_schema(request=None, public=True)
    schema = document["paths"][EXPORT]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    validator = Draft202012Validator(
        {**schema, "components": document["components"]}, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    create_row(Device, alice)
    create_row(Block, alice, blocked=bob)
    for column, section in SECTIONS.items():
        label, _dot, name = column.rpartition(".")
        model = apps.get_model(label)
        if section and not model._base_manager.filter(**{name: alice.pk}).exists():
            create_row(model, alice)
    found = exported(as_alice)
    assert [error.message for error in validator.iter_errors(found)] == []
    assert [name for name, rows in found.items() if not rows] == []
    # Every column is declared and required.
    schemas = document["components"]["schemas"]
    sections = schemas["DataExport"]["properties"]
    for name, rows in found.items():
        if isinstance(rows, list):
            row = schemas[sections[name]["items"]["$ref"].rpartition("/")[2]]
            assert set(row["required"]) == row["properties"].keys() == rows[0].keys(), name


# Closing an unread response closes the database connection, which would end the test's transaction.
@pytest.mark.django_db(transaction=True)
def test_export_is_a_file_with_etag_and_audited(alice, as_alice, anonymous):
    response = as_alice.get(EXPORT)
    assert response["Content-Type"] == "application/json"
    assert response["Content-Disposition"] == 'attachment; filename="bookbridge-alice.json"'
    assert int(response["Content-Length"]) == len(response.getvalue()) > 100
    assert response["Cache-Control"] == "private, no-cache"
    with closing(as_alice.head(EXPORT)) as head:
        assert head["ETag"] == response["ETag"]
    unchanged = as_alice.get(EXPORT, HTTP_IF_NONE_MATCH=response["ETag"])
    assert (unchanged.status_code, unchanged["ETag"]) == (304, response["ETag"])
    as_alice.patch(f"{V1}users/me/", {"bio": "New"})
    changed = as_alice.get(EXPORT, HTTP_IF_NONE_MATCH=response["ETag"])
    export_data = json.loads(changed.getvalue())
    assert (changed.status_code, export_data["account"]["bio"]) == (200, "New")
    entries = AuditEntry.objects.filter(verb="account.exported", actor=alice.pk)
    assert [event["verb"] for event in export_data["activity"]].count("account.exported") == entries.count() == 2
    assert anonymous.get(EXPORT).status_code == 401
    assert as_alice.get(f"{EXPORT}?x=1").status_code == 400
    assert as_alice.post(EXPORT).status_code == 405


def test_export_reads_rows_in_batches(alice, as_alice, monkeypatch):
    monkeypatch.setattr(export, "BATCH_SIZE", 7)
    books = Book.objects.bulk_create(
        Book(title=f"Book {n}", title_key=f"book {n}", author="A", search_text="", added_by=alice) for n in range(50)
    )
    assert [row["title"] for row in exported(as_alice)["books_added"]] == [book.title for book in books]


def test_failure_during_export_returns_500(alice, as_alice, monkeypatch):
    def broken(user):
        yield {"id": 1}
        raise RuntimeError("half-way")

    monkeypatch.setitem(export_sections, "broken", broken)
    assert as_alice.get(EXPORT).status_code == 500
    assert APIClient().get(f"{V1}books/").status_code == 200
    assert settings.DEBUG is False
