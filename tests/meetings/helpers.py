"""Helpers for tests of meetings."""

from typing import Any

from activity.models import Notification
from clubs.models import Club
from core.tasks.worker import run_pending
from meetings.models import Meeting, Rsvp
from tests.clubs.helpers import CLUBS

MEMBER_FIELDS = (
    *("timezone", "duration_minutes", "place", "url", "entry", "agenda", "capacity", "notes", "counts", "my_rsvp"),
    *("repeats", "series"),
)


def url(of: Club | Meeting, rest: str = "") -> str:
    if isinstance(of, Club):
        return f"{CLUBS}{of.pk}/meetings/{rest}"
    return f"{CLUBS}{of.club_id}/meetings/{of.pk}/{rest}"


def ok(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.content
    return response.json() if response.content else None


def rsvp(client: Any, meeting: Meeting, answer: str) -> Any:
    """Send an RSVP. Return (answer, waitlist position), or the error code."""
    response = client.put(url(meeting, "rsvp/"), {"answer": answer})
    return response.json().get("code") or tuple(ok(response)[name] for name in ("answer", "waitlist_position"))


def own_rsvp(answer: str | None, position: int | None = None, *, before_change: bool = False) -> dict[str, Any]:
    """Return the RSVP of the caller as it is in responses."""
    return {"answer": answer, "waitlist_position": position, "before_change": before_change}


def counts(**expected: int) -> dict[str, int]:
    """Return the counts of a meeting: `counts(yes=2)`."""
    return dict.fromkeys(("yes", "maybe", "no", "waitlisted", "unconfirmed"), 0) | expected


def notified(kind: str) -> list[tuple[str, str]]:
    """Run due tasks and return the notifications of this kind as (username, title)."""
    run_pending()
    rows = Notification.objects.filter(kind=kind).order_by("id")
    return [(row.user.username, row.object_title) for row in rows.select_related("user")]


def check_seats() -> None:
    """Check counters, the waitlist order, and that no seat is free while users are on the waitlist."""
    for meeting in Meeting.objects.all():
        rows = list(Rsvp.objects.filter(meeting=meeting))
        for answer in ("yes", "maybe", "no", "waitlisted"):
            assert getattr(meeting, answer) == sum(row.answer == answer for row in rows), (meeting, answer)
        assert meeting.unconfirmed == sum(row.answer == "yes" and row.before_change for row in rows)
        if meeting.status == "scheduled" and not meeting.starts_soon and meeting.waitlisted:
            assert meeting.capacity is not None
            assert meeting.yes >= meeting.capacity
        orders = [row.waitlist_order for row in rows if row.answer == "waitlisted"]
        assert len(orders) == len(set(orders))
