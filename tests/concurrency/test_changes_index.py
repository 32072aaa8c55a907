"""Reading changes takes ranges of the index, however many changes there are."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from activity.changes.models import Change
from clubs.feed.cursors import Cursor, today
from clubs.models import Club
from tests.clubs.changes import read
from tests.clubs.helpers import bring_in
from tests.conftest import client_of

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = 100_000


def test_pages_read_ranges_of_the_index(alice, bob):
    clubs = [Club.create_club(by=alice, name=name) for name in ("One", "Two", "Three")]
    for club in clubs:
        bring_in(club, bob)
    # One in ten is of bob's clubs, a third of it of each.
    rows = (
        Change(stream=clubs[n % 3].pk if n % 10 == 0 else 10**6 + n % 50, type="meeting", object_id=n)
        for n in range(ROWS)
    )
    Change.objects.bulk_create(rows, batch_size=5000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE TABLE activity_change")
        cursor.fetchall()
    client = client_of(bob)
    first = read(client, page_size=100)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        read(client, first["cursor"], page_size=100)
    union = next(query["sql"] for query in queries if "UNION ALL" in query["sql"])
    plan = explain(union)
    tables = [row for row in plan if row["table"] == "activity_change"]
    assert len(tables) == 4
    for row in tables:
        assert (row["type"], row["key"]) == ("range", "activity_change_by_stream"), row
        assert "filesort" not in (row["Extra"] or "")
    last = Change.objects.latest("pk").pk
    with CaptureQueriesContext(connection) as queries:
        read(client, Cursor(last, last, settled=0, day=today()).to_text(bob.pk))
    counts = next(query["sql"] for query in queries if "COUNT(" in query["sql"])
    assert {row["key"] for row in explain(counts)} == {"activity_change_by_stream"}


def explain(sql):
    # MySQL's default is a tree, and MariaDB does not know the option.
    options = "" if connection.mysql_is_mariadb else "FORMAT=TRADITIONAL"
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {options} {re.sub('^EXPLAIN ', '', sql)}".replace("%", "%%"))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
