"""The reviews row of the club permission matrix."""

from tests.clubs.matrix import ROWS, Row

ROWS += [Row("club-review-list", "get", "anyone")]
