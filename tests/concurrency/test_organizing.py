"""What organizers do at the same time: bulk changes of members, shifted schedules, digests of e-mails."""

import datetime
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import User
from activity.choices import NotificationKind
from activity.digests.models import EmailDigest
from activity.models import Notification, ObjectRef
from activity.services import notify
from activity.tasks import send_due_digests, send_notification_emails
from catalog.models import Book
from clubs.models import Club, Entry, Membership, Milestone
from core.tasks.models import QueuedTask
from meetings.models import Meeting, Rsvp
from opinions.models import Seal
from tests.clubs.helpers import CLUBS, bring_in, check_invariants
from tests.concurrency.tools import ROUNDS, at_once, statuses
from tests.meetings.helpers import check_seats

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def users(make_user: Callable[..., User]) -> list[User]:
    return [make_user(f"reader{n}") for n in range(30)]


@pytest.mark.parametrize("action", ["approve", "refuse", "remove", "pause"])
def test_bulk_change_during_changes_of_single_members(
    alice: User, moe: User, users: list[User], client_of: Callable[..., Any], action: str
) -> None:
    as_alice, as_moe, clients = client_of(alice), client_of(moe), [client_of(user) for user in users[:8]]
    status = "pending" if action in ("approve", "refuse") else "active"
    for _round in range(ROUNDS):
        club = Club.create_club(by=alice, name="Busy readers", join_policy="request", member_limit=9)
        bring_in(club, moe, role="moderator")
        for user in users[:7]:
            bring_in(club, user, status=status)
        address, ids = f"{CLUBS}{club.pk}/", [user.pk for user in users[:8]]
        members = [f"{address}members/{pk}/" for pk in ids]
        calls = [
            # In opposite orders.
            partial(as_alice.post, f"{address}members/bulk/", {"action": action, "users": ids}),
            partial(as_moe.post, f"{address}members/bulk/", {"action": action, "users": ids[::-1]}),
            partial(as_alice.patch, members[0], {"status": "active"}),
            partial(as_moe.patch, members[1], {"status": "banned"}),
            partial(as_moe.delete, members[2]),
            partial(as_alice.patch, members[3], {"role": "moderator"}),
            partial(as_moe.put, f"{members[4]}pause/", {"until": None}),
            *(partial(client.post, f"{address}leave/") for client in clients[5:7]),
            partial(clients[7].post, f"{address}join/"),
        ]
        first, second, *_others = responses = at_once(calls)
        statuses(responses)
        for response in (first, second):
            body = response.json()
            assert sorted(body["done"] + [row["user"] for row in body["refused"]]) == sorted(ids)
        check_invariants()
        assert not Membership.objects.filter(club=club, paused_since__isnull=False).exclude(status="active").exists()


def test_thirty_answers_on_eight_seats(
    alice: User, moe: User, users: list[User], client_of: Callable[..., Any]
) -> None:
    club = Club.create_club(by=alice, name="Busy readers")
    bring_in(club, moe, role="moderator")
    for user in users:
        bring_in(club, user)
    clients, as_moe = [client_of(user) for user in users], client_of(moe)
    for number in range(ROUNDS):
        starts_at = timezone.now() + datetime.timedelta(days=9)
        meeting = Meeting.create_meeting(club=club, by=alice, title=f"Tea {number}", starts_at=starts_at, capacity=8)
        address = f"{CLUBS}{club.pk}/meetings/{meeting.pk}/"
        calls = [partial(client.put, f"{address}rsvp/", {"answer": "yes"}) for client in clients]
        # Meanwhile the meeting is moved, which keeps the answers, and the silent ones are reminded.
        calls += [
            partial(as_moe.patch, address, {"starts_at": (starts_at + datetime.timedelta(days=2)).isoformat()}),
            partial(as_moe.post, f"{address}rsvps/remind/"),
        ]
        assert statuses(at_once(calls)) == {200: 31, 202: 1}
        answers = Rsvp.objects.filter(meeting=meeting).values_list("answer", flat=True)
        assert Counter(answers) == {"yes": 8, "waitlisted": 22}
        check_seats()


def test_shift_during_changes_of_milestones_and_meetings(alice: User, moe: User, client_of: Callable[..., Any]) -> None:
    as_alice, as_moe = client_of(alice), client_of(moe)
    club = Club.create_club(by=alice, name="Busy readers")
    bring_in(club, moe, role="moderator")
    today, day = club.today, datetime.timedelta(days=1)
    for number in range(ROUNDS):
        book = Book.create_book(by=None, title=f"T{number}", authors=["A"])
        entry = Entry.add_entry(club=club, book=book, by=alice, status="reading", ends_on=today + 50 * day)
        address = f"{CLUBS}{club.pk}/books/{entry.pk}/"
        milestones = [
            as_alice.post(
                f"{address}milestones/",
                {"title": f"M{n}", "up_to_percent": 10 * n, "due_on": f"{today + 10 * n * day}"},
            ).json()["id"]
            for n in (1, 2, 3)
        ]
        starts_at = (timezone.now() + 20 * day).replace(microsecond=0)
        meeting = Meeting.create_meeting(club=club, by=alice, title="T", starts_at=starts_at, entry=entry)
        entry.update_entry(by=alice, sealed_with=meeting.pk)
        shift = {"days": 7, "from": f"{today}", "meetings": True}
        set_day = {"due_on": f"{today + 40 * day}"}
        calls = [
            partial(as_alice.post, f"{address}shift/", shift),
            partial(as_moe.post, f"{address}shift/", shift),
            partial(as_moe.patch, f"{address}milestones/{milestones[0]}/", set_day),
            partial(as_alice.patch, f"{address}milestones/{milestones[1]}/", {"title": "Half"}),
            partial(as_alice.delete, f"{address}milestones/{milestones[2]}/"),
            partial(as_moe.patch, f"{CLUBS}{club.pk}/meetings/{meeting.pk}/", {"place": "Library"}),
        ]
        assert statuses(at_once(calls)) == {200: 5, 204: 1}
        days = dict(Milestone.objects.filter(entry=entry).values_list("title", "due_on"))
        # The one with another title is moved twice; the one with another day, as often as it was moved after that.
        assert days["Half"] == today + (20 + 14) * day
        assert days["M1"] in {today + (40 + moved) * day for moved in (0, 7, 14)}
        assert "M3" not in days
        entry.refresh_from_db()
        assert entry.ends_on == today + (50 + 14) * day
        meeting.refresh_from_db()
        assert (meeting.local_date, meeting.place) == (starts_at.date() + 14 * day, "Library")
        assert Seal.objects.get(entry=entry).opens_at == meeting.starts_at


def test_simultaneous_workers_send_one_digest(alice: User, bob: User) -> None:
    club = Club.create_club(by=bob, name="Busy readers")
    bring_in(club, alice)
    for number in range(ROUNDS):
        EmailDigest.objects.all().delete()
        Notification.objects.all().delete()
        mail.outbox.clear()
        for n in range(6):
            ref = ObjectRef("post", n + 1, f"Thread {number}.{n}")
            notify(NotificationKind.MENTION, [alice.pk], actor=bob.pk, object_ref=ref, club=club.pk)
        batches = list(Notification.objects.order_by("pk").values_list("email_batch", flat=True))
        QueuedTask.objects.all().delete()
        at_once([partial(send_notification_emails.call, batch=batch) for batch in batches])
        assert len(mail.outbox) == 1
        # All others wait for the next one, which one of several workers sends.
        sent = mail.outbox.pop().body
        EmailDigest.objects.update(due_at=timezone.now())
        at_once([send_due_digests.call] * 6)
        assert len(mail.outbox) <= 1
        sent += "".join(message.body for message in mail.outbox)
        assert [n for n in range(6) if sent.count(f"“Thread {number}.{n}”") != 1] == []
        assert not Notification.objects.exclude(email_batch=None).exists()
        assert EmailDigest.objects.get().due_at is None
