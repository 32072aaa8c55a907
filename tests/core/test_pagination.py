"""Keyset pagination: no row is repeated or skipped, and page 500 costs what page 1 costs."""

import base64
import datetime
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tests.core.views_for_tests import Rows

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.views_for_tests")]

ROWS = "/api/v1/probe/rows/"
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def build_user(n: int) -> User:
    """Create a user; users have many ties and NULLs, and names that some collations consider equal."""
    name = ("José", "jose", "JOSE", "Zoë", "", "日本")[n % 6]
    return User(
        username=f"reader{n:05}" + "x" * (n % 4),
        username_key=f"reader{n:05}" + "x" * (n % 4),
        display_name=name,
        reviews_count=n % 7,
        joined_at=START + datetime.timedelta(microseconds=n // 3),
        suspended_until=None if n % 3 else START + datetime.timedelta(days=n % 5),
    )


@pytest.fixture
def users(db):
    User.objects.bulk_create([build_user(n) for n in range(120)])
    return User.objects.order_by("id")


def walk(client, url, word="next"):
    """Return all pages from `url` on as lists of ids."""
    while url:
        assert url.startswith(("http://testserver/", "/")), url
        page = client.get(url).json()
        assert set(page) == {"next", "previous", "results"}
        yield page, [row["id"] for row in page["results"]]
        url = page[word]


def expected_ids(word: str) -> list[int]:
    """Return the ids in the order of the database, without pages."""
    fields = Rows.ordering_fields[word]
    last = fields[-1]
    if last.lstrip("-") != "id":
        fields += ("-id" if last.startswith("-") else "id",)
    return list(Rows().get_queryset().order_by(*fields).values_list("id", flat=True))


@pytest.mark.parametrize("word", Rows.ordering_fields)
def test_paging_forth_and_back_returns_each_row_once(anonymous, users, word):
    pages = list(walk(anonymous, f"{ROWS}?ordering={word}&page_size=7"))
    there = [row for _page, rows in pages for row in rows]
    assert there == expected_ids(word)
    first, last = pages[0][0], pages[-1][0]
    assert first["previous"] is None
    assert last["next"] is None
    back = [rows for _page, rows in walk(anonymous, last["previous"], "previous")]
    assert [row for rows in reversed(back) for row in rows] == there[: -len(pages[-1][1])]
    assert {len(rows) for rows in back} == {7}


def test_page_of_nulls_is_sorted_by_id_alone(anonymous, users):
    User.objects.update(suspended_until=None)
    page = anonymous.get(f"{ROWS}?ordering=-suspended&page_size=5").json()
    with CaptureQueriesContext(connection) as queries:
        second = anonymous.get(page["next"]).json()
    assert [row["id"] for row in second["results"]] == expected_ids("-suspended")[5:10]
    sql = next(query["sql"] for query in queries if "ORDER BY" in query["sql"])
    assert "suspended_until" not in sql.partition("ORDER BY")[2]


@pytest.mark.parametrize("word", ["-joined", "suspended", "-suspended", "name", "-share"])
def test_concurrent_inserts_and_deletes_shift_no_page(anonymous, users, word):
    before = set(expected_ids(word))
    seen: list[int] = []
    number = 1000
    for page, rows in walk(anonymous, f"{ROWS}?ordering={word}&page_size=20"):
        seen += rows
        # Rows already read are deleted, the last of the page included; new rows are inserted everywhere.
        User.objects.filter(pk__in=rows[-3:]).delete()
        User.objects.bulk_create([build_user(number + n) for n in range(5)])
        number += 5
        if page["next"] is None or number > 1500:
            break
    assert len(seen) == len(set(seen))
    assert before <= set(seen)


def test_emptied_page_links_back_to_the_list(anonymous, users):
    ids = list(users.values_list("id", flat=True))
    page = anonymous.get(f"{ROWS}?ordering=joined&page_size=40").json()
    middle = anonymous.get(page["next"]).json()
    User.objects.filter(pk__in=ids[80:]).delete()
    empty = anonymous.get(middle["next"]).json()
    assert empty["results"] == []
    assert empty["next"] is None
    last = anonymous.get(empty["previous"]).json()
    assert [row["id"] for row in last["results"]] == ids[40:80]
    assert last["next"] is None
    User.objects.filter(pk__in=ids[:40]).delete()
    empty = anonymous.get(last["previous"]).json()
    assert empty["results"] == []
    assert empty["previous"] is None
    first = anonymous.get(empty["next"]).json()
    assert [row["id"] for row in first["results"]] == ids[40:80]
    assert first["previous"] is None


def test_empty_list_has_no_links(anonymous):
    assert anonymous.get(ROWS).json() == {"next": None, "previous": None, "results": []}


def test_exactly_full_page_has_no_next(anonymous):
    User.objects.bulk_create([build_user(n) for n in range(20)])
    page = anonymous.get(ROWS).json()
    assert len(page["results"]) == 20
    assert page["next"] is None
    assert page["previous"] is None


def test_links_are_absolute_and_keep_other_parameters(client_of, alice, users):
    for path in (f"{ROWS}?ordering=name&page_size=2", f"{ROWS[:-1]}?ordering=name&page_size=2"):
        page = client_of(alice).get(path, HTTP_HOST="localhost:8000").json()
        link = urlsplit(page["next"])
        assert (link.scheme, link.netloc, link.path) == ("http", "localhost:8000", ROWS)
        assert set(parse_qs(link.query)) == {"ordering", "page_size", "cursor"}
        assert parse_qs(link.query)["ordering"] == ["name"]


def test_page_size_is_20_and_at_most_100(anonymous, users):
    assert len(anonymous.get(ROWS).json()["results"]) == 20
    assert len(anonymous.get(f"{ROWS}?page_size=100").json()["results"]) == 100
    assert len(anonymous.get(f"{ROWS}?page_size=1").json()["results"]) == 1


def cursor(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


BAD = {
    "empty": "",
    "no base64": "!!!",
    "not ascii": "é",
    "a space": " ",
    "nul": "\x00",
    "no text": "\ufffd",
    "no json": base64.urlsafe_b64encode(b"{").decode(),
    "not utf-8": base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    "deep": base64.urlsafe_b64encode(b"[" * 1200).decode(),
    "null": base64.urlsafe_b64encode(b"null").decode(),
    "a number": base64.urlsafe_b64encode(b"7").decode(),
    "a text": base64.urlsafe_b64encode(b'"abc"').decode(),
    "an object": base64.urlsafe_b64encode(b'{"a":1,"b":2,"c":3}').decode(),
    "too short": cursor("joined", ["2026-01-01T00:00:00+00:00", 1]),
    "too long": cursor("joined", ["2026-01-01T00:00:00+00:00", 1], False, 1),
    "another order": cursor("-joined", ["2026-01-01T00:00:00+00:00", 1], False),
    "no order": cursor(None, ["2026-01-01T00:00:00+00:00", 1], False),
    "values no list": cursor("joined", {"2026-01-01T00:00:00+00:00": 1, "1": 1}, False),
    "values a text": cursor("joined", "12", False),
    "one value": cursor("joined", [1], False),
    "three values": cursor("joined", ["2026-01-01T00:00:00+00:00", 1, 1], False),
    "direction a number": cursor("joined", ["2026-01-01T00:00:00+00:00", 1], 1),
    "direction a text": cursor("joined", ["2026-01-01T00:00:00+00:00", 1], "false"),
    "no date": cursor("joined", ["yesterday", 1], False),
    "an impossible date": cursor("joined", ["2026-02-30T00:00:00+00:00", 1], False),
    "a date without zone": cursor("joined", ["2026-01-01T00:00:00", 1], False),
    "a date before all dates": cursor("joined", ["0001-01-01T00:00:00+14:00", 1], False),
    "a date after all dates": cursor("joined", ["9999-12-31T23:59:59-14:00", 1], False),
    "a number for a date": cursor("joined", [5, 1], False),
    "true for a date": cursor("joined", [True, 1], False),
    "a float": cursor("joined", [1.5, 1], False),
    "a list for a value": cursor("joined", [[1], 1], False),
    "an object for a value": cursor("joined", [{"a": 1}, 1], False),
    "a text for an id": cursor("joined", ["2026-01-01T00:00:00+00:00", "x"], False),
    "no id": cursor("joined", ["2026-01-01T00:00:00+00:00", None], False),
    "true for an id": cursor("joined", ["2026-01-01T00:00:00+00:00", True], False),
    "a huge id": cursor("joined", ["2026-01-01T00:00:00+00:00", 10**30], False),
    "a huge negative id": cursor("joined", ["2026-01-01T00:00:00+00:00", -(10**30)], False),
    "a huge id as text": cursor("joined", ["2026-01-01T00:00:00+00:00", "9" * 600], False),
    "NUL": cursor("joined", ["2026-01-01T00:00:00+00:00\x00", 1], False),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_invalid_cursor_is_404(anonymous, problem, users, bad):
    problem(anonymous.get(ROWS, {"ordering": "joined", "cursor": bad}), 404, "not_found")


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("name", "\x00"),
        ("name", "\ud800"),
        ("name", None),
        ("-count", 2**63),
        ("-count", "1e400"),
        ("-count", None),
        ("-share", "nan"),
        ("-share", "inf"),
        ("-share", "-1e999"),
        ("-share", "x"),
        ("length", "x"),
        ("length", 10**40),
    ],
)
def test_cursor_with_an_impossible_value_is_404(anonymous, problem, users, word, value):
    bad = cursor(word, [value, 1], False)
    problem(anonymous.get(ROWS, {"ordering": word, "cursor": bad}), 404, "not_found")


def test_truncated_cursor_is_404(anonymous, problem, users):
    page = anonymous.get(f"{ROWS}?ordering=joined").json()
    good = parse_qs(urlsplit(page["next"]).query)["cursor"][0]
    for length in range(len(good)):
        response = anonymous.get(ROWS, {"ordering": "joined", "cursor": good[:length]})
        assert response.status_code == 404, good[:length]
    assert anonymous.get(ROWS, {"ordering": "joined", "cursor": good}).status_code == 200
    problem(anonymous.get(ROWS, {"ordering": "joined", "cursor": good + "A"}), 404)


def test_cursor_of_a_deleted_row_is_valid(anonymous, users):
    for word, value in (
        ("joined", "1999-01-01T00:00:00+00:00"),
        ("name", "zz" * 2000),
        ("-count", 2**62),
        ("-share", "1e300"),
    ):
        response = anonymous.get(ROWS, {"ordering": word, "cursor": cursor(word, [value, 5], False)})
        assert response.status_code == 200, word


@pytest.mark.parametrize("word", Rows.ordering_fields)
def test_each_page_is_one_query_without_offset(anonymous, word):
    def queries(url: str) -> list[str]:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert anonymous.get(url).status_code == 200
        return [query["sql"] for query in captured]

    User.objects.bulk_create([build_user(n) for n in range(3)])
    # The page itself.
    assert len(queries(f"{ROWS}?ordering={word}")) == 1
    User.objects.bulk_create([build_user(n) for n in range(3, 300)])
    pages = list(walk(anonymous, f"{ROWS}?ordering={word}&page_size=50"))
    for page, _rows in pages[:-1]:
        [sql] = queries(page["next"])
        assert "OFFSET" not in sql
        assert "LIMIT 51" in sql
        assert "COUNT" not in sql


@pytest.mark.skipif("connection.vendor != 'mysql'", reason="SQLite's plan says nothing about rows")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("path", "index"),
    [
        ("/api/v1/users/?", "username_key"),
        (f"{ROWS}?ordering=joined&", "joined_"),
        (f"{ROWS}?ordering=-joined&", "joined_"),
    ],
)
def test_first_and_500th_page_use_the_index(client_of, alice, path, index):
    User.objects.bulk_create([build_user(n) for n in range(10_100)], batch_size=2000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE TABLE accounts_user")
        cursor.fetchall()
    client = client_of(alice)

    def plan_of(url: str) -> dict[str, object]:
        with CaptureQueriesContext(connection) as captured:
            client.get(url)
        [sql] = [
            query["sql"]
            for query in captured
            if "LIMIT 21" in query["sql"] and "accounts_authsession" not in query["sql"]
        ]
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN FORMAT=TRADITIONAL " + sql)
            steps = [dict(zip([c[0] for c in cursor.description], row, strict=True)) for row in cursor.fetchall()]
        # And the blocks, which are scanned once.
        [step] = [step for step in steps if step["table"] == "accounts_user"]
        assert index in step["key"], step
        assert "filesort" not in (step["Extra"] or ""), step
        return step

    url = f"{path}page_size=100"
    assert plan_of(f"{path}page_size=20")["type"] == "index"
    for _page in range(100):
        url = client.get(url).json()["next"]
    assert plan_of(url.replace("page_size=100", "page_size=20"))["type"] == "range"
