"""Rows of the permission matrix for meetings."""

import datetime
from collections.abc import Callable

from django.utils import timezone

from accounts.models import User
from meetings.models import Meeting
from tests.clubs.matrix import BUILDERS, ROWS, Row, World


def meetings(world: World, make_user: Callable[..., User]) -> None:
    starts_at = timezone.now() + datetime.timedelta(days=7)
    world.objects["meeting"] = Meeting.create_meeting(
        club=world.club, by=world.users["owner"], title="First", starts_at=starts_at
    )


MEETING, BELOW = {"meeting_id": "@meeting"}, {"meeting_id": "@meeting"}
SECOND = {"title": "Second", "starts_at": "2027-02-01T19:00:00Z"}

BUILDERS.append(meetings)
ROWS += [
    Row("club-meeting-list", "get", "anyone"),
    Row("club-meeting-list", "post", "moderator", 201, body=SECOND),
    Row("club-meeting-detail", "get", "anyone", path=MEETING),
    Row("club-meeting-detail", "put", "moderator", path=MEETING, body=SECOND),
    Row("club-meeting-detail", "patch", "moderator", path=MEETING, body={"status": "cancelled"}),
    Row("club-meeting-detail", "delete", "moderator", 204, path=MEETING),
    Row("club-meeting-rsvp", "get", "member", path=BELOW),
    Row("club-meeting-rsvp", "put", "member", path=BELOW, body={"answer": "yes"}),
    Row("club-meeting-attendance", "get", "member", path=BELOW),
    Row("club-meeting-rsvps-list", "get", "member", path=BELOW),
    Row("club-meeting-rsvps-remind", "post", "moderator", 202, path=BELOW),
    Row("club-meeting-attendance", "put", "moderator", 204, path=BELOW, body={"attended": []}),
    Row("club-calendar", "get", "member"),
]
