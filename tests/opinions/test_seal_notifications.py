"""Pushes and e-mails never contain or reveal sealed opinions, for any sequence of actions before the seal opens."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
import time_machine
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from activity.choices import CHANNELS, MANDATORY, NotificationKind
from activity.models import Notification, NotificationPreference
from activity.push import apns
from activity.services import notify
from activity.tasks import send_due_digests
from catalog.models import Book
from clubs.models import Club, Entry
from core.tasks.models import QueuedTask
from core.tasks.worker import run_pending
from meetings.models import Meeting
from tests.activity.push_services import APNsService, FCMService, WebPushService
from tests.clubs.helpers import CLUBS
from tests.opinions.helpers import given, url

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)
SECRET = "Unbearable heroine"
WORDS = (SECRET, "Unbearable", "heroine", "rating", "opinion", "star", "0.5")


class Outbox(NamedTuple):
    """What the push services and the mail server have received."""

    web: WebPushService
    fcm: FCMService
    apns: APNsService
    mails: list[EmailMultiAlternatives]

    def texts(self) -> list[str]:
        """Return what was received, without ids and links, in a fixed order."""
        pushes = [
            (service.__class__.__name__, name, payload.get("data", payload))
            for service in (self.web, self.fcm, self.apns)
            for name, payload in service.received
        ]
        found = [f"{name} {token} {data['kind']} {data['text']} {payload_title(data)}" for name, token, data in pushes]
        found += [
            "\n".join(
                line for line in f"{mail.to} {mail.subject}\n{mail.body}".splitlines() if not line.startswith("http")
            )
            for mail in self.mails
        ]
        return sorted(found)

    def everything(self) -> str:
        """Return all of it as one text, HTML and headers too."""
        pushes = [service.received for service in (self.web, self.fcm, self.apns)]
        mails = [(mail.subject, mail.body, mail.alternatives, mail.extra_headers) for mail in self.mails]
        return str((pushes, mails))

    def clear(self) -> None:
        for received in (self.web.received, self.fcm.received, self.apns.received, self.mails):
            received.clear()


def payload_title(data: dict[str, Any]) -> str:
    return str(data["object"]).partition("title")[2]


@pytest.fixture
def outbox(
    service: WebPushService,
    fcm_service: FCMService,
    apns_service: APNsService,
    mailoutbox: list[EmailMultiAlternatives],
    alice: User,
    bob: User,
    moe: User,
    as_alice: APIClient,
    as_bob: APIClient,
    as_moe: APIClient,
    sealed: Entry,
) -> Outbox:
    """Give every member all channels of every kind: a browser, two phones and an address."""
    for number, (user, client) in enumerate(((alice, as_alice), (bob, as_bob), (moe, as_moe))):
        user.email, user.email_verified = f"{user.username}@example.org", True
        user.update_derived_fields()
        user.save()
        for body in (
            service.subscribe(user.username).body,
            {"kind": "fcm", "token": user.username},
            {"kind": "apns", "token": f"{number}" * 64},
        ):
            assert client.post("/api/v1/users/me/devices/", body).status_code == 201
        everything = {kind: dict.fromkeys(CHANNELS, True) for kind in NotificationKind if kind not in MANDATORY}
        NotificationPreference.objects.update_preferences(user, everything)
    run_pending()
    Notification.objects.all().delete()
    outbox = Outbox(service, fcm_service, apns_service, mailoutbox)
    outbox.clear()
    return outbox


@contextmanager
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def succeed(response: Any) -> Any:
    assert response.status_code < 300, response.content
    return response.json() if response.content else None


def write_opinions(clients: list[APIClient], entry: Entry, **opinion: Any) -> None:
    """Let members, the owner first, give this opinion, change it, delete it and give it again."""
    for client in clients:
        succeed(client.put(url(entry, "opinion/"), opinion))
        succeed(client.put(url(entry, "opinion/"), opinion | {"read": "part"}))
        succeed(client.delete(url(entry, "opinion/")))
        succeed(client.put(url(entry, "opinion/"), opinion))


def test_writing_a_sealed_opinion_notifies_nobody(
    as_alice: APIClient, as_bob: APIClient, as_moe: APIClient, sealed: Entry, outbox: Outbox
) -> None:
    tasks = QueuedTask.objects.count()
    write_opinions([as_alice, as_bob, as_moe], sealed, rating=0.5, text=SECRET)
    assert QueuedTask.objects.count() == tasks
    run_pending()
    send_due_digests.call()
    assert outbox.texts() == []
    assert not Notification.objects.exists()


def send_due(at: datetime.datetime) -> None:
    """Run the tasks that are due at this time."""
    apns.provider_token.clear()  # cached by a clock that does not travel
    with time_machine.travel(at, tick=True):
        send_due_digests.call()
        run_pending()


def act(as_alice: APIClient, as_bob: APIClient, as_moe: APIClient, club: Club, sealed: Entry, meeting: Meeting) -> None:
    """Do what notifies members about the club, its meeting and its book, until after the reminders and the digest."""
    base = f"{CLUBS}{club.pk}/"
    review = succeed(as_bob.get(f"/api/v1/reviews/?book={sealed.book_id}"))["results"][0]["id"]
    succeed(as_alice.put(f"/api/v1/reviews/{review}/like/"))
    for title in ("Tea", "Cake", "Before we meet"):
        thread = {"title": title, "body": "@bob @alice", "entry": sealed.pk}
        thread_id = succeed(as_moe.post(f"{base}threads/", thread))["id"]
    first = succeed(as_moe.get(f"{base}threads/{thread_id}/posts/"))["results"][0]["id"]
    succeed(as_bob.post(f"{base}threads/{thread_id}/posts/", {"body": "Yes", "reply_to": first}))
    succeed(as_alice.post(f"{base}threads/", {"title": "Rules", "body": "Be kind", "announce": True}))
    later = (meeting.starts_at + DAY).isoformat()
    succeed(as_moe.patch(f"{base}meetings/{meeting.pk}/", {"starts_at": later, "place": "Library"}))
    succeed(as_moe.post(f"{base}meetings/{meeting.pk}/rsvps/remind/"))
    step = {"title": "Half", "up_to_percent": 50, "due_on": f"{club.today + DAY}"}
    succeed(as_moe.post(url(sealed, "milestones/"), step))
    shift = {"days": 1, "from": f"{club.today}", "meetings": True}
    succeed(as_alice.post(url(sealed, "shift/"), shift))
    run_pending()
    now = timezone.now()
    for days in (1, 3, 8):  # the digest, and both reminders
        send_due(now + days * DAY)


@pytest.fixture
def story(
    outbox: Outbox,
    as_alice: APIClient,
    as_bob: APIClient,
    as_moe: APIClient,
    sealed: Entry,
    meeting: Meeting,
    book: Book,
) -> Callable[..., list[str]]:
    """Return a function that writes these opinions and returns the texts of all pushes and e-mails before they open."""

    def run(**opinion: Any) -> list[str]:
        outbox.clear()
        with rolled_back():
            write_opinions([as_alice, as_bob, as_moe], sealed, **opinion)
            review = {"book": book.pk, "rating": opinion["rating"], "body": opinion["text"]}
            succeed(as_bob.post("/api/v1/reviews/", review))
            act(as_alice, as_bob, as_moe, sealed.club, sealed, meeting)
            assert given(as_alice, sealed) == [("alice", opinion["rating"])]
        return outbox.texts()

    return run


def test_pushes_and_emails_do_not_depend_on_sealed_opinions(story: Callable[..., list[str]], outbox: Outbox) -> None:
    texts = story(rating=0.5, text=SECRET)
    kinds = {kind for kind in NotificationKind if any(f" {kind} " in text for text in texts)}
    assert kinds >= {"review_liked", "mention", "reply", "announcement", "meeting_changed", "meeting_reminder"}
    assert kinds >= {"rsvp_reminder", "schedule_changed"}
    assert {text.partition(" ")[0] for text in texts} >= {"WebPushService", "FCMService", "APNsService"}
    assert any("updates" in mail.subject for mail in outbox.mails)
    assert [word for word in WORDS if word in outbox.everything()] == []
    # Neither values nor lengths: other opinions send the same.
    assert story(rating=5, text="!" * 2000) == texts
    assert "!!!" not in outbox.everything()


@pytest.mark.parametrize("is_by_hand", [True, False], ids=["opened", "begun"])
def test_opening_sends_no_opinions(
    as_alice: APIClient,
    as_bob: APIClient,
    as_moe: APIClient,
    bob: User,
    client_of: Callable[..., APIClient],
    sealed: Entry,
    meeting: Meeting,
    outbox: Outbox,
    is_by_hand: bool,
) -> None:
    write_opinions([as_alice, as_bob, as_moe], sealed, rating=0.5, text=SECRET)
    if is_by_hand:
        succeed(as_moe.post(url(sealed, "opinions/open/")))
    run_pending()
    for after in (DAY / 24, 2 * DAY):
        send_due(meeting.starts_at + after)
    with time_machine.travel(meeting.starts_at + DAY, tick=True):
        assert len(given(client_of(bob), sealed)) == 3
    assert outbox.texts() == []
    # The services still work.
    notify(NotificationKind.ANNOUNCEMENT, [bob.pk], object_ref=sealed.club.object_ref, club=sealed.club_id)
    run_pending()
    assert outbox.texts() != []
