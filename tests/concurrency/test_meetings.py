"""Concurrent RSVPs: no seat is given twice or left empty, the waitlist keeps its order, no response is a 5xx."""

import datetime
import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from accounts.deletion import erase
from accounts.models import User
from activity.models import Notification
from clubs.models import Club
from core.tasks.models import QueuedTask
from core.tasks.worker import run_pending
from meetings import tasks
from meetings.models import CalendarToken, Meeting, Rsvp
from tests.clubs.helpers import bring_in
from tests.concurrency.tools import ROUNDS, at_once, statuses
from tests.meetings.helpers import check_seats, notified, url

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def club(alice: User) -> Club:
    return Club.create_club(by=alice, name="Busy readers")


@pytest.fixture
def users(club: Club, make_user: Callable[..., User]) -> list[User]:
    users = [make_user(f"reader{n}") for n in range(30)]
    for user in users:
        bring_in(club, user)
    return users


def make_meeting(club: Club, *, days: float = 10, **fields: Any) -> Meeting:
    starts_at = timezone.now().replace(microsecond=0) + datetime.timedelta(days=days)
    return Meeting.create_meeting(club=club, by=club.owner, title="Tea", starts_at=starts_at, **fields)


def send_rsvp(client: Any, meeting: Meeting, answer: str) -> Callable[[], Any]:
    return partial(client.put, url(meeting, "rsvp/"), {"answer": answer})


def waitlist(meeting: Meeting) -> list[int]:
    return list(Rsvp.objects.filter(meeting=meeting).waitlisted().values_list("user", flat=True))


def attendees(meeting: Meeting) -> set[int]:
    return set(Rsvp.objects.filter(meeting=meeting, answer="yes").values_list("user", flat=True))


def test_limited_seats_are_given_once_and_in_order(club: Club, users: Any, clients: Any) -> None:
    for _round in range(ROUNDS):
        meeting = make_meeting(club, capacity=5)
        responses = at_once([send_rsvp(client, meeting, "yes") for client in clients[:20]])
        assert statuses(responses) == {200: 20}
        bodies = [response.json() for response in responses]
        assert Counter(body["answer"] for body in bodies) == {"yes": 5, "waitlisted": 15}
        positions = [body["waitlist_position"] for body in bodies if body["answer"] == "waitlisted"]
        assert sorted(positions) == list(range(1, 16))
        check_seats()
        with_seat, waiting = attendees(meeting), waitlist(meeting)
        assert (len(with_seat), len(waiting)) == (5, 15)

        client_by_id = {user.pk: client for user, client in zip(users, clients, strict=True)}
        calls = [send_rsvp(client_by_id[user], meeting, "no") for user in with_seat]
        calls += [send_rsvp(client, meeting, "yes") for client in clients[20:]]
        assert statuses(at_once(calls)) == {200: 15}
        # The first five of the waitlist get the seats; the ten later ones are at its end.
        assert attendees(meeting) == set(waiting[:5])
        assert waitlist(meeting)[:10] == waiting[5:]
        assert set(waitlist(meeting)[10:]) == {user.pk for user in users[20:]}
        check_seats()
        run_pending()
        promoted = Notification.objects.filter(kind="seat_promoted", object_id=meeting.pk).order_by("id")
        assert sorted(promoted.values_list("user", flat=True)) == sorted(waiting[:5])


def test_simultaneous_first_rsvps_create_one_row(club: Club, clients: Any) -> None:
    for _round in range(ROUNDS):
        meeting = make_meeting(club)
        responses = at_once([send_rsvp(clients[0], meeting, answer) for answer in ("yes", "no", "maybe", "yes") * 3])
        assert statuses(responses) == {200: 12}
        assert Rsvp.objects.filter(meeting=meeting).count() == 1
        check_seats()


def test_rsvps_during_leaves_deletions_and_capacity_changes(
    club: Club, alice: User, make_user: Callable[..., User], client_of: Callable[..., Any]
) -> None:
    """Everything that changes RSVPs at once."""
    as_alice = client_of(alice)
    for number in range(ROUNDS):
        rng = random.Random(number)
        users = [make_user(f"r{number}x{n}") for n in range(10)]
        for user in users:
            bring_in(club, user)
        own = [client_of(user) for user in users]
        meetings = [make_meeting(club, capacity=2), make_meeting(club, capacity=1), make_meeting(club, days=-3)]
        for client in own[:6]:
            for meeting in meetings[:2]:
                send_rsvp(client, meeting, "yes")()
        calls: list[Any] = [send_rsvp(client, rng.choice(meetings[:2]), "no") for client in own[:3]]
        calls += [send_rsvp(client, meeting, "yes") for client in own[6:8] for meeting in meetings[:2]]
        calls += [partial(own[3].post, f"/api/v1/clubs/{club.pk}/leave/"), send_rsvp(own[3], meetings[0], "yes")]
        calls += [partial(as_alice.delete, f"/api/v1/clubs/{club.pk}/members/{users[4].pk}/")]
        calls += [partial(as_alice.patch, url(meetings[0]), {"capacity": capacity}) for capacity in (1, 4)]
        calls += [partial(as_alice.patch, url(meetings[1]), {"status": "cancelled"})]
        attended = {"attended": [user.pk for user in users[:5]]}
        calls += [partial(as_alice.put, url(meetings[2], "attendance/"), attended)]
        responses = at_once([*calls, partial(delete_account, users[5])])
        statuses([response for response in responses if response is not None])
        check_seats()
        left = {users[3].pk, users[4].pk, users[5].pk}
        # Former members have no RSVPs, whatever the order of the requests.
        assert not left & (attendees(meetings[0]) | set(waitlist(meetings[0])))
        assert not User.objects.filter(pk=users[5].pk).exists()


def delete_account(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False, reviews_on_deletion="anonymise")
    user.update_user_count(-1)
    erase(user)


def test_rsvps_during_meeting_and_club_deletion(alice: User, clients: Any, users: Any) -> None:
    for number in range(ROUNDS):
        other = Club.create_club(by=alice, name="Short")
        for user in users[:6]:
            bring_in(other, user)
        meeting = make_meeting(other, capacity=2, repeats={"every": "weekly", "count": 3})
        calls: list[Any] = [send_rsvp(client, meeting, "yes") for client in clients[:6]]
        end = (
            partial(other.delete_club, by=alice)
            if number % 2
            else partial(meeting.delete_meeting, by=alice, scope="following")
        )
        responses = at_once([*calls, end])
        assert set(statuses(responses[:-1])) <= {200, 404}
        assert not Rsvp.objects.filter(meeting=meeting).exists()
        check_seats()


def test_simultaneous_changes_of_a_series(club: Club, alice: User, clients: Any, client_of: Callable[..., Any]) -> None:
    as_alice = client_of(alice)
    for _round in range(ROUNDS):
        first = make_meeting(club, capacity=3, repeats={"every": "weekly", "count": 6})
        series = list(Meeting.objects.filter(series=first.series_id).order_by("starts_at"))
        calls: list[Any] = [
            partial(as_alice.patch, url(series[n]) + "?scope=following", {"place": f"P{n}"}) for n in (0, 2)
        ]
        later = {"starts_at": (series[1].starts_at + datetime.timedelta(hours=1)).isoformat()}
        calls += [partial(as_alice.patch, url(series[1]) + "?scope=following", later)]
        calls += [partial(as_alice.delete, url(series[4]) + "?scope=following")]
        calls += [send_rsvp(client, chosen, "yes") for client in clients[:4] for chosen in (series[5], series[0])]
        assert set(statuses(at_once(calls))) <= {200, 204, 404}
        rows = list(Meeting.objects.filter(series=first.series_id).order_by("starts_at"))
        assert [row.deleted_at is None for row in rows] == [True] * 4 + [False] * 2
        assert {row.starts_at - old.starts_at for row, old in zip(rows[1:4], series[1:4], strict=True)} == {
            datetime.timedelta(hours=1)
        }
        assert rows[0].place == "P0"
        assert len({row.place for row in rows[2:4]}) == 1
        check_seats()


def test_conditional_writes_do_not_deadlock(
    alice: User, club: Club, users: list[User], clients: list[Any], client_of: Callable[..., Any]
) -> None:
    as_alice, known = client_of(alice), {"If-Match": "*"}
    for _round in range(ROUNDS):
        meeting = make_meeting(club, capacity=2)
        calls: list[Any] = [
            partial(client.put, url(meeting, "rsvp/"), {"answer": random.choice(["yes", "no"])}, headers=headers)
            for client in clients[:6]
            for headers in (known, {})
        ]
        named = {"attended": [user.pk for user in users[:6]]}
        calls += [partial(as_alice.put, url(meeting, "attendance/"), named, headers=known)] * 2
        calls += [partial(as_alice.patch, url(meeting), {"capacity": 3}, headers=known)] * 2
        assert set(statuses(at_once(calls))) <= {200, 204}
        check_seats()


def test_reminder_is_sent_once_by_several_workers(club: Club, users: Any) -> None:
    for _round in range(ROUNDS):
        QueuedTask.objects.all().delete()
        Notification.objects.all().delete()
        meeting = make_meeting(club, days=6.5)
        QueuedTask.objects.filter(task_path="meetings.tasks.send_reminder").update(run_after=timezone.now())
        remind = partial(tasks.send_reminder.call, meeting_id=meeting.pk, days=1, starts=meeting.starts_at.isoformat())
        at_once([run_pending] * 4 + [remind] * 2)
        assert len(notified("meeting_reminder")) == len(users) + 1


def test_simultaneous_calendar_tokens_leave_one(alice: User, client_of: Callable[..., Any], anonymous: Any) -> None:
    as_alice = client_of(alice)
    for _round in range(ROUNDS):
        responses = at_once([partial(as_alice.post, "/api/v1/users/me/calendar-token/")] * 6)
        assert statuses(responses) == {201: 6}
        works = [anonymous.get(response.json()["url"]).status_code for response in responses]
        assert sorted(works) == [200] + [404] * 5
        assert CalendarToken.objects.count() == 1
