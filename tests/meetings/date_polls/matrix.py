"""Rows of the permission matrix for date polls."""

from collections.abc import Callable

from accounts.models import User
from tests.clubs.matrix import BUILDERS, ROWS, Row, World
from tests.meetings.date_polls.helpers import body, create, option_ids


def date_polls(world: World, make_user: Callable[..., User]) -> None:
    poll = create(world.club)
    world.objects |= {"poll": poll, "dates": option_ids(poll)}


POLL = {"poll_id": "@poll"}

BUILDERS.append(date_polls)
ROWS += [
    Row("club-date-poll-list", "get", "member"),
    Row("club-date-poll-list", "post", "moderator", 201, body=body()),
    Row("club-date-poll-detail", "get", "member", path=POLL),
    Row("club-date-poll-detail", "delete", "moderator", 204, path=POLL),
    Row("club-date-poll-answer", "put", "member", path=POLL, body={"yes": "@dates"}),
    Row("club-date-poll-answer", "delete", "member", 204, path=POLL),
    Row("club-date-poll-close", "post", "moderator", path=POLL),
    Row("club-date-poll-answers-list", "get", "member", path=POLL),
]
