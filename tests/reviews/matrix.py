"""The row of reviews in the table of who may do what in a club."""

from tests.clubs.matrix import ROWS, Row

ROWS += [Row("club-review-list", "get", "inside")]
