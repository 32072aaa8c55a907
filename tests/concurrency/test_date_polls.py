"""Concurrent answers and closes of date polls: one meeting, no lost answer, no response is a 5xx."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from accounts.models import User
from activity.models import Event
from clubs.models import Club
from core.tasks.worker import run_pending
from meetings.models import DateAnswer, DatePoll, Meeting, Rsvp
from tests.clubs.helpers import bring_in
from tests.concurrency.test_meetings import delete_account
from tests.concurrency.tools import ROUNDS, at_once, statuses
from tests.meetings.date_polls.helpers import create, let_expire, option_ids, url
from tests.meetings.helpers import check_seats

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def club(alice: User) -> Club:
    return Club.create_club(by=alice, name="Busy readers")


@pytest.fixture
def users(club: Club, make_user: Callable[..., User]) -> list[User]:
    users = [make_user(f"reader{n}") for n in range(30)]
    for user in users:
        bring_in(club, user, role="moderator")
    return users


def send_answer(client: Any, poll: DatePoll, *yes: int) -> Callable[[], Any]:
    return partial(client.put, url(poll.club, poll, "answer/"), {"yes": list(yes)})


def check_meeting(poll: DatePoll) -> list[tuple[int, str]]:
    """Check that one meeting has the seats in the order of answering. Return its users with their RSVPs, in order."""
    poll.refresh_from_db()
    assert (poll.status, poll.outcome) == ("closed", "chosen")
    meeting = Meeting.objects.get(title=poll.title)
    assert poll.meeting == meeting
    for verb, pk in (("date_poll.closed", poll.pk), ("meeting.created", meeting.pk)):
        assert Event.objects.filter(verb=verb, object_id=pk).count() == 1
    check_seats()
    answered = DateAnswer.objects.filter(poll=poll, choices__option__starts_at=meeting.starts_at, choices__is_yes=True)
    order = list(answered.order_by("answered_at", "pk").values_list("user", flat=True))
    rsvps = Rsvp.objects.filter(meeting=meeting).order_by("waitlist_order", "answered_at", "pk")
    found = list(rsvps.values_list("user", "answer"))
    assert [user for user, _answer in found] == order
    seats = len(order) if meeting.capacity is None else meeting.capacity
    assert [answer for _user, answer in found] == ["yes"] * min(seats, len(order)) + ["waitlisted"] * (
        len(order) - seats
    )
    return found


def test_thirty_answers_on_eight_seats(club: Club, clients: list[Any]) -> None:
    for number in range(ROUNDS):
        poll = create(club, title=f"Poll {number}", capacity=8)
        option = option_ids(poll)[1]
        assert statuses(at_once([send_answer(client, poll, option) for client in clients])) == {200: 30}
        assert clients[0].post(url(club, poll, "close/")).status_code == 200
        found = check_meeting(poll)
        assert Counter(answer for _user, answer in found) == {"yes": 8, "waitlisted": 22}


def test_simultaneous_answers_of_one_user_leave_one(club: Club, clients: list[Any]) -> None:
    poll = create(club)
    options = option_ids(poll)
    for _round in range(ROUNDS):
        DateAnswer.objects.all().delete()
        responses = at_once([send_answer(clients[0], poll, options[n % 3]) for n in range(12)])
        assert statuses(responses) == {200: 12}
        assert len(DateAnswer.objects.get().yes) == 1


def test_simultaneous_closes_create_one_meeting(club: Club, clients: list[Any]) -> None:
    """Early closes by moderators; of a due poll also reads and two workers."""
    for number in range(ROUNDS):
        poll = create(club, title=f"Poll {number}")
        send_answer(clients[0], poll, option_ids(poll)[2])()
        closes = [partial(client.post, url(club, poll, "close/")) for client in clients[:8]]
        if number % 2:
            let_expire(poll)
            reads = [partial(client.get, url(club, poll)) for client in clients[8:12]]
            *responses, _first_run, _second_run = at_once([*closes, *reads, run_pending, run_pending])
            assert statuses(responses) == {409: 8, 200: 4}
            assert len({response.json()["meeting"] for response in responses[8:]}) == 1
        else:
            assert statuses(at_once(closes)) == {200: 1, 409: 7}
        check_meeting(poll)


def test_answer_during_close_gets_its_seat_or_is_rejected(club: Club, users: list[User], clients: list[Any]) -> None:
    for number in range(ROUNDS):
        poll = create(club, title=f"Poll {number}", capacity=(None, 5)[number % 2])
        option = option_ids(poll)[0]
        send_answer(clients[0], poll, option)()
        calls = [send_answer(client, poll, option) for client in clients[1:15]]
        closed, *responses = at_once([partial(clients[20].post, url(club, poll, "close/")), *calls])
        assert closed.status_code == 200, closed.content
        assert set(statuses(responses)) <= {200, 409}
        accepted = {user.pk for user, r in zip(users[1:15], responses, strict=True) if r.status_code == 200}
        assert {user for user, _answer in check_meeting(poll)} == accepted | {users[0].pk}


def test_leaving_and_deletion_during_close_leave_no_trace(
    club: Club, users: list[User], clients: list[Any], make_user: Callable[..., User], client_of: Callable[..., Any]
) -> None:
    for number in range(ROUNDS):
        leaving = [make_user(f"leaving{number}_{n}") for n in range(4)]
        for user in leaving:
            bring_in(club, user)
        poll = create(club, title=f"Poll {number}", capacity=3)
        option = option_ids(poll)[0]
        for client in (*map(client_of, leaving), *clients[:3]):
            send_answer(client, poll, option)()
        leave = [partial(client_of(user).post, f"/api/v1/clubs/{club.pk}/leave/") for user in leaving[:2]]
        erasures = [partial(delete_account, user) for user in leaving[2:]]
        *left, _first, _second, closed = at_once(
            [*leave, *erasures, partial(clients[0].post, url(club, poll, "close/"))]
        )
        assert statuses([*left, closed]) == {204: 2, 200: 1}
        meeting = Meeting.objects.get(title=poll.title)
        rsvps = Rsvp.objects.filter(meeting=meeting)
        assert set(rsvps.values_list("user", flat=True)) == {user.pk for user in users[:3]}
        assert set(rsvps.values_list("answer", flat=True)) == {"yes"}
        check_seats()
