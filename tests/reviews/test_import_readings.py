"""Readings of Goodreads and StoryGraph exports."""

import pytest

from readings.models import Reading
from tests.reviews.exports import goodreads, storygraph

pytestmark = pytest.mark.django_db


def found():
    rows = Reading.objects.order_by("finished_on", "pk").values_list("state", "started_on", "finished_on", "source")
    return [(state, start and str(start), end and str(end), source) for state, start, end, source in rows]


def test_goodreads_keeps_the_day_and_rereads(upload):
    upload(goodreads({"Date Read": "2015/03/14", "Read Count": "3"}))
    undated = ("finished", None, None, "import")
    assert found() == [undated, undated, ("finished", None, "2015-03-14", "import")]


@pytest.mark.parametrize(
    ("shelf", "state"),
    [("currently-reading", "reading"), ("did-not-finish", "stopped"), ("dnf", "stopped"), ("to-read", None)],
)
def test_goodreads_shelf_is_the_state(upload, shelf, state):
    upload(goodreads({"Exclusive Shelf": shelf, "Date Read": "", "Read Count": "1", "My Rating": "0", "My Review": ""}))
    assert [row[0] for row in found()] == ([state] if state else [])


def test_storygraph_keeps_all_days(upload):
    dates = "2021/01/20-2021/02/09, 2024/05/01-2024/05/30"
    upload(storygraph({"Dates Read": dates, "Last Date Read": "2024/05/30", "Read Count": "2"}), "storygraph")
    assert found() == [
        ("finished", "2021-01-20", "2021-02-09", "import"),
        ("finished", "2024-05-01", "2024-05-30", "import"),
    ]


def test_storygraph_did_not_finish_is_kept(upload):
    row = {"Read Status": "did-not-finish", "Dates Read": "2021/01/20-2021/01/22", "Star Rating": "", "Review": ""}
    report = upload(storygraph(row | {"Read Count": "0"}), "storygraph")
    assert found() == [("stopped", "2021-01-20", "2021-01-22", "import")]
    assert (report["created"], report["skipped"]) == (0, 1)


@pytest.mark.parametrize(
    ("source", "data"),
    [
        ("goodreads", goodreads({"Read Count": "2"}, {"Title": "B", "Exclusive Shelf": "dnf", "Book Id": "8"})),
        ("storygraph", storygraph({"Dates Read": "2021/01/20-2021/02/09, 2022/01/01-", "Read Count": "2"})),
    ],
)
def test_same_file_again_changes_nothing(upload, source, data):
    upload(data, source)
    before = list(Reading.objects.order_by("pk").values())
    assert before
    upload(data, source)
    assert list(Reading.objects.order_by("pk").values()) == before


def test_newer_file_finishes_and_adds_readings(upload):
    upload(goodreads({"Exclusive Shelf": "currently-reading", "Date Read": "", "Read Count": "1"}))
    pk = Reading.objects.get().pk
    upload(goodreads({"Exclusive Shelf": "read", "Date Read": "2025/03/14", "Read Count": "1"}))
    reading = Reading.objects.get()
    assert (reading.pk, reading.state, str(reading.finished_on)) == (pk, "finished", "2025-03-14")
    upload(goodreads({"Exclusive Shelf": "read", "Date Read": "2026/03/14", "Read Count": "2"}))
    assert [row[2] for row in found()] == ["2025-03-14", "2026-03-14"]


def test_edited_day_is_not_imported_again(upload):
    data = goodreads({"Read Count": "1"})
    upload(data)
    Reading.objects.update(finished_on="2014-01-01")
    upload(data)
    assert [row[2] for row in found()] == ["2014-01-01"]
