"""Rows of opinions in the permission matrix."""

from tests.clubs.matrix import ROWS, Row
from tests.clubs.reading.matrix import BELOW
from tests.meetings import matrix as _meetings  # noqa: F401  creates the meeting

OPINION = {"rating": 4, "text": "Good"}

ROWS += [
    Row("club-book-detail", "patch", "moderator", path=BELOW, body={"sealed_with": "@meeting"}, note="seal"),
    Row("club-book-opinion", "get", "member", path=BELOW),
    Row("club-book-opinion", "put", "member", path=BELOW, body=OPINION),
    Row("club-book-opinion", "delete", "member", 204, path=BELOW),
    Row("club-book-opinions", "get", "member", path=BELOW),
    Row("club-book-opinions-open", "post", "moderator", 409, path=BELOW, note="never sealed"),
]
