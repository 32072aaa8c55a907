"""Rows of availability in the permission matrix."""

from availability.models import Availability
from tests.clubs.matrix import BUILDERS, ROWS, Row, World
from tests.clubs.reading.matrix import BELOW


def lenders(world: World, make_user: object) -> None:
    """Let all members lend their copies."""
    for role in ("member", "moderator", "owner"):
        user = world.users[role]
        assert user is not None
        Availability.set_answer(entry=world.objects["entry"], by=user, answer="have", lends=True)


BUILDERS.append(lenders)
ROWS += [
    Row("club-book-access", "get", "member", path=BELOW),
    Row("club-book-access-mine", "get", "member", path=BELOW),
    Row("club-book-access-mine", "put", "member", path=BELOW, body={"answer": "cannot"}),
    Row("club-book-access-mine", "delete", "member", 204, path=BELOW),
    Row("club-book-access-lent", "put", "member", path=BELOW, body={"to": "@target"}),
]
