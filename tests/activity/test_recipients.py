"""Who is notified of what, and what happens to notifications and events on deletion."""

import datetime
import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts import tokens
from accounts.deletion import close_account
from activity.choices import NotificationKind
from activity.models import Event, Notification, ObjectRef
from activity.services import notify, record_event
from activity.verbs import OBJECT_TYPES, VERBS
from catalog.models import Book
from clubs.models import Club, Entry
from core.registry import report_targets
from core.tasks.worker import run_pending
from reviews.models import Review
from tests.conftest import PASSWORD
from tests.server import TOP

pytestmark = pytest.mark.django_db
NOTIFICATIONS = "/api/v1/users/me/notifications/"
APPS = ("accounts", "moderation", "catalog", "clubs", "meetings", "ballots", "discussions", "reviews")


@pytest.fixture(autouse=True)
def no_notifications(as_alice, as_bob, as_moe, club):
    Notification.objects.all().delete()


def texts(client):
    return [row["text"] for row in client.get(NOTIFICATIONS).json()["results"]]


def test_join_request_and_decision_are_notified(as_alice, as_moe, as_bob, as_charlie, alice, charlie, club):
    club.update_club(by=alice, join_policy="request")
    for _time in range(2):
        assert as_charlie.post(f"/api/v1/clubs/{club.pk}/join/").status_code == 202
        assert texts(as_alice) == texts(as_moe) == ["Charlie asked to join Night readers."]
        as_charlie.post(f"/api/v1/clubs/{club.pk}/leave/")
    assert texts(as_bob) == []
    as_charlie.post(f"/api/v1/clubs/{club.pk}/join/")
    as_moe.patch(f"/api/v1/clubs/{club.pk}/members/{charlie.pk}/", {"status": "active"})
    as_alice.patch(f"/api/v1/clubs/{club.pk}/members/{charlie.pk}/", {"role": "moderator"})
    as_alice.post(f"/api/v1/clubs/{club.pk}/transfer/", {"user": charlie.pk})
    assert texts(as_charlie) == [
        "Your role in Night readers is now: owner.",
        "Your role in Night readers is now: moderator.",
        "You are now a member of Night readers.",
    ]


def test_members_are_notified_of_a_planned_book_once(as_bob, as_alice, alice, club):
    book = Book.create_book(by=alice, title="Dune", authors=["Frank Herbert"])
    entry = Entry.add_entry(club=club, book=book, by=alice)
    for status in ("planned", "proposed", "planned"):
        entry.update_entry(by=alice, status=status)
    run_pending()
    assert texts(as_bob) == ["Night readers is going to read “Dune”."]
    assert texts(as_alice) == []


def test_author_is_notified_of_each_like_once(as_alice, as_bob, alice, bob):
    review = Review.create_review(
        book=Book.create_book(by=alice, title="Emma", authors=["Jane Austen"]), by=alice, rating=8
    )
    for client in (as_bob, as_alice):
        for method in ("put", "delete", "put"):
            getattr(client, method)(f"/api/v1/reviews/{review.pk}/like/")
    assert texts(as_alice) == ["Bob liked your review of “Emma”."]


def test_security_notices(as_bob, bob, settings):
    settings.REFRESH_GRACE_SECONDS = 0
    pair = tokens.sign_in(bob, device="tests")
    assert texts(as_bob) == []  # the device is known
    tokens.sign_in(bob, device="telephone")
    tokens.refresh(pair.refresh)
    with pytest.raises(tokens.InvalidToken):
        tokens.refresh(pair.refresh)
    as_bob.post("/api/v1/auth/password/change/", {"current_password": PASSWORD, "new_password": "quite another one"})
    newest, reused, device = texts(as_bob)
    assert "password" in newest
    assert "sign-in token of your account was used again" in reused
    assert "telephone" in device


def test_leaving_a_club_hides_its_notifications(as_bob, bob, alice, club, private_club):
    for where in (club, private_club):
        notify(NotificationKind.BOOK_PLANNED, [bob.pk], object_ref=ObjectRef("entry", 1, "Dune"), club=where.pk)
    private_club.get_membership(bob).remove(by=alice)
    assert texts(as_bob) == ["Night readers is going to read “Dune”."]
    club.leave(bob)
    assert not Notification.objects.filter(user=bob).exists()


def test_account_deletion_anonymizes_events(as_alice, alice, bob, club):
    record_event("session.created", actor=bob.pk)
    record_event("book.listed", actor=bob.pk, object_ref=ObjectRef("entry", 1, "Dune"), club=club.pk)
    notify(NotificationKind.REPLY, [alice.pk], actor=bob.pk, object_ref=ObjectRef("post", 1, "Dune"), club=club.pk)
    Event.objects.filter(club=club, verb="club.created").delete()
    close_account(bob, password=PASSWORD, reviews="delete")
    feed = as_alice.get(f"/api/v1/clubs/{club.pk}/activity/")
    assert "bob" not in feed.content.decode().lower()
    assert {row["verb"] for row in feed.json()["results"]} >= {"book.listed", "member.left"}
    deleted_user = {"id": None, "username": None, "display_name": "Deleted reader", "avatar_url": None}
    listed = [row for row in feed.json()["results"] if row["verb"] == "book.listed"]
    assert listed[0]["actor"] == deleted_user
    assert texts(as_alice) == ["Deleted reader replied to you in “Dune”."]
    assert not Event.objects.filter(verb="session.created", actor_deleted=True).exists()
    closed = Event.objects.get(verb="account.closed")
    assert (closed.actor, closed.actor_deleted, closed.object_ref) == (None, True, None)


def test_club_deletion_deletes_its_events(as_alice, as_bob, alice, bob):
    club = Club.create_club(by=alice, name="Short-lived")
    club.join(bob)
    pk = club.pk
    club.delete_club(by=alice)
    assert not Event.objects.filter(club=pk).exists()
    last = as_alice.get("/api/v1/users/me/activity/").json()["results"][0]
    assert (last["verb"], last["object"], last["club"]) == (
        "club.deleted",
        {"type": "club", "id": pk, "title": "Short-lived"},
        None,
    )


def test_old_notifications_are_deleted(bob):
    now = timezone.now()
    ages = {"read": 91, "read lately": 89, "unread": 364, "unread long": 366}
    for key, days in ages.items():
        notify(NotificationKind.SECURITY, [bob.pk], detail="x", key=key)
        read_at = now if key.startswith("read") else None
        Notification.objects.filter(key=key).update(created_at=now - datetime.timedelta(days), read_at=read_at)
    call_command("prune_expired")
    assert set(Notification.objects.values_list("key", flat=True)) == {"read lately", "unread"}


def test_all_recorded_verbs_are_listed():
    # Only literal verbs and types are checked, not those composed at run time.
    verbs_in_code, types_in_code = set(), set()
    for app in APPS:
        for path in Path(TOP, app).rglob("*.py"):
            source = path.read_text()
            verbs_in_code |= set(re.findall(r'\b(?:record_event|_log)\(\s*"([a-z_]+\.[a-z_]+)"', source))
            types_in_code |= set(re.findall(r'\bObjectRef\("([a-z]+)"', source))
    assert {"club", "entry", "post"} <= types_in_code <= set(OBJECT_TYPES)
    assert set(report_targets) <= set(OBJECT_TYPES)
    assert {"club.created", "book.added", "review.posted"} <= verbs_in_code
    assert verbs_in_code <= set(VERBS)
