"""What can wait is sent in one e-mail a day and club, what is urgent at once."""

import datetime
import smtplib
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import User
from activity.choices import EMAILED_BY_DEFAULT, NotificationKind
from activity.digests.models import EmailDigest
from activity.messages import time_message
from activity.models import Notification, NotificationPreference, ObjectRef
from activity.services import notify
from activity.tasks import send_due_digests
from catalog.models import Book
from clubs.models import Club, Entry
from core.tasks.models import QueuedTask
from core.tasks.worker import run_pending
from tests.activity.test_emails import RejectingBackend

pytestmark = pytest.mark.django_db
START = datetime.datetime(2026, 3, 2, 12, tzinfo=datetime.UTC)
HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)


@pytest.fixture
def clock(alice: User, bob: User, club: Club) -> Any:
    with time_machine.travel(START, tick=False) as clock:
        QueuedTask.objects.all().delete()
        Notification.objects.all().delete()
        yield clock


def verify_address(user: User) -> None:
    user.email, user.email_verified = f"{user.username}@example.org", True
    user.update_derived_fields()
    user.save()


def mention(user: User, club: Club, title: str, *, by: User, kind: NotificationKind = NotificationKind.MENTION) -> None:
    notify(kind, [user.pk], actor=by.pk, object_ref=ObjectRef("post", len(title), title), club=club.pk)


def pass_time(clock: Any, duration: datetime.timedelta) -> None:
    """Run what is due in the meantime, as workers do every ten minutes."""
    clock.shift(duration)
    send_due_digests.enqueue()
    run_pending()


def bodies(mailoutbox: list[Any]) -> list[str]:
    found = [message.body for message in mailoutbox]
    mailoutbox.clear()
    return found


def test_second_update_of_a_day_waits_for_the_digest(
    clock: Any, alice: User, bob: User, club: Club, mailoutbox: list[Any]
) -> None:
    mention(alice, club, "One", by=bob)
    run_pending()
    [first] = bodies(mailoutbox)
    assert "“One”" in first
    for title in ("Three", "Fourth"):
        mention(alice, club, title, by=bob)
        pass_time(clock, 2 * HOUR)
    pass_time(clock, 19 * HOUR)
    assert not mailoutbox
    pass_time(clock, 2 * HOUR)
    [digest] = mailoutbox
    assert digest.subject == "Night readers: 2 updates"
    for title in ("Three", "Fourth"):
        assert f"Bob mentioned you in “{title}”." in digest.body
        assert f"/clubs/{club.pk}/posts/{len(title)}\n" in digest.body
    assert "One" not in digest.body
    mailoutbox.clear()
    pass_time(clock, 3 * DAY)
    assert not mailoutbox
    mention(alice, club, "Later", by=bob)
    run_pending()
    assert "“Later”" in bodies(mailoutbox)[0]


def test_digest_is_written_in_the_users_language(
    clock: Any, alice: User, bob: User, club: Club, mailoutbox: list[Any]
) -> None:
    alice.update_profile(language="pt-BR")
    for title in ("One", "Three", "Fourth"):
        mention(alice, club, title, by=bob)
        run_pending()
    mailoutbox.clear()
    pass_time(clock, 25 * HOUR)
    [digest] = mailoutbox
    assert digest.subject == "Night readers: 2 novidades"
    assert "Bob mencionou você em “Three”." in digest.body
    [html] = [part for part, kind in digest.alternatives if kind == "text/html"]
    assert '<html lang="pt-BR">' in html
    assert html.count(f"/clubs/{club.pk}/posts/") == 4


def test_each_club_has_a_digest_of_its_own(
    clock: Any, alice: User, bob: User, club: Club, private_club: Club, mailoutbox: list[Any]
) -> None:
    for where in (club, private_club):
        mention(alice, where, "Dune", by=bob)
    run_pending()
    assert len(mailoutbox) == 2


@pytest.mark.parametrize(
    "kind",
    [
        "announcement",
        "join_accepted",
        "meeting_changed",
        "meeting_new",
        "meeting_reminder",
        "moderation",
        "paused",
        "role_changed",
        "rsvp_reminder",
        "schedule_changed",
        "seat_available",
        "seat_promoted",
        "security",
    ],
)
def test_urgent_kinds_are_sent_at_once(
    clock: Any, alice: User, bob: User, club: Club, mailoutbox: list[Any], kind: str
) -> None:
    assert kind in EMAILED_BY_DEFAULT
    mention(alice, club, "One", by=bob)
    for key in "ab":
        notify(NotificationKind(kind), [alice.pk], club=club.pk, key=key, object_ref=ObjectRef("club", club.pk, ""))
    run_pending()
    assert len(mailoutbox) == 3


@pytest.mark.parametrize(("hours", "is_urgent"), [(47, True), (49, False)])
def test_invitation_that_ends_soon_is_urgent(
    clock: Any, as_alice: Any, club: Club, bob: User, mailoutbox: list[Any], hours: int, is_urgent: bool
) -> None:
    verify_address(bob)
    for title in ("First", "Second"):
        options = [(timezone.now() + days * DAY).isoformat() for days in (5, 6)]
        closes_at = (timezone.now() + hours * HOUR).isoformat()
        poll = {"title": title, "options": options, "closes_at": closes_at}
        assert as_alice.post(f"/api/v1/clubs/{club.pk}/date-polls/", poll).status_code == 201
    run_pending()
    assert len(mailoutbox) == (2 if is_urgent else 1)
    assert "open until Wednesday, March 4, 2026 at" in mailoutbox[0].body


def test_join_requests_are_mailed_once_then_daily_as_a_number(
    clock: Any, alice: User, club: Club, make_user: Any, client_of: Any, as_alice: Any, mailoutbox: list[Any]
) -> None:
    club.update_club(by=alice, join_policy="request")
    users = [make_user(f"asker{n}", display_name=f"Asker {n}") for n in range(5)]
    for user in users:
        assert client_of(user).post(f"/api/v1/clubs/{club.pk}/join/").status_code == 202
        run_pending()
    [first] = bodies(mailoutbox)
    assert "Asker 0 asked to join Night readers." in first
    # Answered by another moderator, and withdrawn.
    as_alice.patch(f"/api/v1/clubs/{club.pk}/members/{users[1].pk}/", {"status": "active"})
    client_of(users[2]).post(f"/api/v1/clubs/{club.pk}/leave/")
    run_pending()
    mailoutbox.clear()
    pass_time(clock, 25 * HOUR)
    [digest] = mailoutbox
    assert digest.to == ["alice@example.org"]
    assert digest.subject == "Night readers: 2 join requests"
    for n in (3, 4):
        assert f"Asker {n} asked to join Night readers." in digest.body
    assert "Asker 1" not in digest.body
    assert "Asker 2" not in digest.body


def test_digest_of_one_request_is_like_any_mail(
    clock: Any, alice: User, club: Club, make_user: Any, client_of: Any, mailoutbox: list[Any]
) -> None:
    club.update_club(by=alice, join_policy="request")
    for name in ("ann", "ben"):
        client_of(make_user(name)).post(f"/api/v1/clubs/{club.pk}/join/")
        run_pending()
    mailoutbox.clear()
    pass_time(clock, 25 * HOUR)
    [message] = mailoutbox
    assert message.subject == "Night readers: new join request"


def test_closed_ballot_is_not_in_the_digest(
    clock: Any, as_alice: Any, alice: User, bob: User, club: Club, mailoutbox: list[Any]
) -> None:
    verify_address(bob)
    books = [Book.create_book(by=alice, title=title, authors=["Ann"]) for title in ("Dune", "Emma")]
    entries = [Entry.add_entry(club=club, book=book, by=alice).pk for book in books]
    closes_at = (timezone.now() + 5 * DAY).isoformat()
    for title in ("Spring", "Autumn", "Summer"):
        data = {"title": title, "method": "approval", "candidates": entries, "closes_at": closes_at}
        response = as_alice.post(f"/api/v1/clubs/{club.pk}/ballots/", data)
        assert response.status_code == 201, response.content
        run_pending()
    assert len(mailoutbox) == 1
    mailoutbox.clear()
    assert as_alice.post(f"/api/v1/clubs/{club.pk}/ballots/{response.json()['id']}/close/").status_code == 200
    pass_time(clock, 25 * HOUR)
    [message] = mailoutbox
    assert "Autumn" in message.body
    assert "Summer" not in message.body


def test_unsubscribing_from_a_digest_concerns_its_kinds(
    clock: Any, anonymous: Any, client_of: Any, alice: User, bob: User, club: Club, mailoutbox: list[Any], settings: Any
) -> None:
    url = "/api/v1/users/me/notification-settings/"
    before = client_of(alice).get(url).json()
    for kind in (NotificationKind.REPLY, NotificationKind.REPLY, NotificationKind.MENTION):
        mention(alice, club, "Dune", by=bob, kind=kind)
        run_pending()
    mailoutbox.clear()
    pass_time(clock, 25 * HOUR)
    [digest] = mailoutbox
    assert digest.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = digest.extra_headers["List-Unsubscribe"].strip("<>").removeprefix(settings.APP_URL)
    assert anonymous.post(link).status_code == 204
    off = {"app": True, "email": False, "push": True}
    assert client_of(alice).get(url).json() == before | {"reply": off, "mention": off}


def test_nothing_is_sent_after_leaving(
    clock: Any, alice: User, bob: User, club: Club, client_of: Any, mailoutbox: list[Any]
) -> None:
    verify_address(bob)
    for title in ("One", "Three"):
        mention(bob, club, title, by=alice)
        run_pending()
    mailoutbox.clear()
    assert client_of(bob).post(f"/api/v1/clubs/{club.pk}/leave/").status_code == 204
    pass_time(clock, 25 * HOUR)
    assert not mailoutbox
    assert EmailDigest.objects.get(user=bob).due_at is None


def test_digest_that_the_server_defers_is_sent_later(
    clock: Any, alice: User, bob: User, club: Club, mailoutbox: list[Any], settings: Any, monkeypatch: Any
) -> None:
    settings.EMAIL_BACKEND = "tests.activity.test_emails.RejectingBackend"
    deferred = smtplib.SMTPRecipientsRefused({"alice@example.org": (450, b"greylisted")})
    monkeypatch.setattr(RejectingBackend, "refusals", {"alice@example.org": deferred})
    mention(alice, club, "One", by=bob)
    run_pending()
    monkeypatch.setattr(RejectingBackend, "refusals", {})
    pass_time(clock, datetime.timedelta(minutes=9))
    assert not mailoutbox
    pass_time(clock, datetime.timedelta(minutes=2))
    [message] = mailoutbox
    assert "“One”" in message.body


def test_long_digest_has_the_number_of_the_rest(
    clock: Any, alice: User, bob: User, club: Club, mailoutbox: list[Any], monkeypatch: Any
) -> None:
    monkeypatch.setattr("activity.emails.MAX_IN_DIGEST", 2)
    for _n in range(6):
        mention(alice, club, "Dune", by=bob)
        run_pending()
    mailoutbox.clear()
    pass_time(clock, 25 * HOUR)
    [digest] = mailoutbox
    assert digest.subject == "Night readers: 5 updates"
    assert digest.body.count("Bob mentioned you") == 2
    assert "… and 3 more." in digest.body


def test_digest_is_rendered_with_a_constant_number_of_queries(
    clock: Any, alice: User, bob: User, club: Club, mailoutbox: list[Any], django_assert_max_num_queries: Any
) -> None:
    NotificationPreference.objects.update_preferences(alice, {"book_planned": {"email": True}})
    at = time_message(timezone.now() + 9 * DAY, "UTC")
    for n in range(20):
        notify(NotificationKind.BOOK_PLANNED, [alice.pk], club=club.pk, detail=at, object_ref=ObjectRef("entry", n, ""))
        run_pending()
    mailoutbox.clear()
    clock.shift(25 * HOUR)
    with django_assert_max_num_queries(15):
        send_due_digests.call()
    assert len(mailoutbox) == 1
