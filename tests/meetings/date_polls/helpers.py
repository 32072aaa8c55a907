"""Helpers for tests of date polls."""

import datetime
from typing import Any

from django.utils import timezone

from clubs.models import Club
from core.tasks.models import QueuedTask
from meetings.models import DatePoll
from tests.ballots.helpers import later
from tests.meetings.helpers import ok


def url(club: Club, poll: DatePoll | int | None = None, rest: str = "") -> str:
    pk = poll.pk if isinstance(poll, DatePoll) else poll
    return f"/api/v1/clubs/{club.pk}/date-polls/" + (f"{pk}/{rest}" if pk else "")


def body(days: tuple[float, ...] = (10, 11, 12), **fields: Any) -> dict[str, Any]:
    """Return the request body that creates a poll on times in so many days."""
    options = [{"starts_at": later(days=day)} for day in days]
    return {"title": "When?", "options": options, "closes_at": later(days=7)} | fields


def create(club: Club, days: tuple[float, ...] = (10, 11, 12), **fields: Any) -> DatePoll:
    """Create a poll by the club's owner."""
    now = timezone.now().replace(microsecond=0)
    values = {"title": "When?", "closes_at": now + datetime.timedelta(days=7)} | fields
    options = [now + datetime.timedelta(days=day) for day in days]
    return DatePoll.create_poll(club=club, by=club.owner, options=options, **values)


def option_ids(poll: DatePoll) -> list[int]:
    return list(poll.options.order_by("pk").values_list("pk", flat=True))


def answer(client: Any, poll: DatePoll, yes: str = "", maybe: str = "") -> Any:
    """Answer with the options of these numbers: `answer(as_bob, poll, "02", maybe="1")`."""
    ids = option_ids(poll)
    sent = {"yes": [ids[int(number)] for number in yes], "maybe": [ids[int(number)] for number in maybe]}
    return ok(client.put(url(poll.club, poll, "answer/"), sent))


def let_expire(*polls: DatePoll) -> None:
    """Move the closing times, and the tasks that close the polls, into the past."""
    past = timezone.now() - datetime.timedelta(seconds=1)
    for poll in polls:
        DatePoll.objects.filter(pk=poll.pk).update(closes_at=past)
        QueuedTask.objects.filter(kwargs__poll_id=poll.pk).update(run_after=past)
