"""Rows of opinions in the permission matrix."""

from collections.abc import Callable

from accounts.models import User
from tests.clubs.matrix import BUILDERS, ROWS, Row, World
from tests.clubs.reading.matrix import BELOW
from tests.meetings import matrix as _meetings  # noqa: F401  creates the meeting

OPINION = {"rating": 4, "text": "Good"}


def seal(world: World, make_user: Callable[..., User]) -> None:
    """Seal the opinions on the proposal until the meeting."""
    world.objects["proposal"].update_entry(by=world.users["owner"], sealed_with=world.objects["meeting"].pk)


BUILDERS.append(seal)
ROWS += [
    Row("club-book-detail", "patch", "moderator", path=BELOW, body={"sealed_with": "@meeting"}, note="seal"),
    Row("club-book-opinion", "get", "member", path=BELOW),
    Row("club-book-opinion", "put", "member", path=BELOW, body=OPINION),
    Row("club-book-opinion", "delete", "member", 204, path=BELOW),
    Row("club-book-opinions", "get", "member", path=BELOW),
    Row("club-book-opinions-open", "post", "moderator", path={"entry_id": "@proposal"}),
]
