"""Progress in clubs: the readings it makes, `stopped`, `finished_on`, `everywhere` and `spoilers_ok`."""

import pytest
from django.utils import timezone

from clubs.models import Club, Entry
from discussions.models import Post, Thread
from readings.models import Reading
from tests.clubs.changes import CHANGES, names, read_all
from tests.clubs.helpers import bad_fields, bring_in
from tests.reviews.helpers import counter_differences

pytestmark = pytest.mark.django_db
STATS = "/api/v1/users/me/stats/"


def progress_url(entry):
    return f"/api/v1/clubs/{entry.club_id}/books/{entry.pk}/progress/"


def mean(client, entry):
    return client.get(progress_url(entry)).json()["mean_percent"]


def test_progress_makes_one_reading(as_bob, entry, mark, readings):
    mark(as_bob, entry, percent=10)
    today = timezone.now().date()
    mark(as_bob, entry, percent=100)
    [reading] = readings(as_bob)
    values = {name: reading[name] for name in ("state", "percent", "started_on", "finished_on", "source", "entry")}
    assert values == {
        "state": "finished",
        "percent": 100,
        "started_on": f"{today}",
        "finished_on": f"{today}",
        "source": "club",
        "entry": entry.pk,
    }


def test_deleted_progress_is_as_if_never_set(as_bob, as_alice, entry, mark, readings):
    address = progress_url(entry)
    unset = as_bob.get(f"{address}mine/").json()
    before = as_alice.get(address).json()
    mark(as_bob, entry, percent=100, spoilers_ok=True)
    assert as_bob.delete(address).status_code == 204
    assert as_bob.delete(address).status_code == 204
    assert as_bob.get(f"{address}mine/").json() == unset
    assert as_alice.get(address).json() == before
    assert readings(as_bob) == []
    assert counter_differences() == (0, [])


def test_delete_honours_if_match(as_bob, entry, mark):
    address = progress_url(entry)
    mark(as_bob, entry, percent=10)
    tag = as_bob.get(f"{address}mine/")["ETag"]
    mark(as_bob, entry, percent=20)
    assert as_bob.delete(address, HTTP_IF_MATCH=tag).status_code == 412
    assert as_bob.get(f"{address}mine/").json()["percent"] == 20


def test_finished_on_is_kept_and_checked(as_bob, entry, mark, readings):
    assert mark(as_bob, entry, percent=100, finished_on="2020-02-29")["finished_on"] == "2020-02-29"
    assert mark(as_bob, entry, percent=100)["finished_on"] == "2020-02-29"
    assert readings(as_bob)[0]["finished_on"] == "2020-02-29"
    assert as_bob.get(STATS).json()["books_finished_by_year"] == [{"year": 2020, "count": 1}]
    address = progress_url(entry)
    assert bad_fields(as_bob.put(address, {"percent": 99, "finished_on": "2020-01-01"})) == {
        "finished_on": "not_finished"
    }
    assert bad_fields(as_bob.put(address, {"percent": 100, "finished_on": "2100-01-01"})) == {
        "finished_on": "in_future"
    }


def test_stopped_leaves_the_mean_on_both_sides(as_alice, as_bob, as_moe, entry, mark, readings):
    mark(as_alice, entry, percent=60)
    mark(as_bob, entry, percent=30)
    # Alice, Bob, Moe and those without progress count as 0.
    members = round(90 / mean(as_alice, entry))
    stopped = mark(as_bob, entry, stopped=True)
    assert (stopped["percent"], stopped["stopped"]) == (30, True)
    assert mean(as_alice, entry) == round(60 / (members - 1), 2)
    assert readings(as_bob)[0]["state"] == "stopped"
    assert mark(as_bob, entry, percent=35)["stopped"] is False
    assert readings(as_bob)[0]["state"] == "reading"


def test_stopped_needs_progress_short_of_the_end(as_bob, entry, mark):
    assert bad_fields(as_bob.put(progress_url(entry), {"stopped": True})) == {"percent": "required"}
    assert bad_fields(as_bob.put(progress_url(entry), {"percent": 100, "stopped": True})) == {"stopped": "finished"}


def test_everywhere_marks_the_open_entries_of_the_book(as_bob, alice, bob, entry, mark, readings):
    others = []
    for name, status in (("Open", "planned"), ("Done", "finished")):
        club = Club.create_club(by=alice, name=name)
        bring_in(club, bob)
        others.append(Entry.add_entry(club=club, book=entry.book, by=alice, status=status))
    foreign = Entry.add_entry(club=Club.create_club(by=alice, name="Foreign"), book=entry.book, by=alice)
    mark(as_bob, entry, page=100, page_count=400, hidden=True, everywhere=True)
    rows = {row.entry_id: row for row in bob.reading_progress.all()}
    assert rows.keys() == {entry.pk, others[0].pk}
    assert foreign.pk not in rows
    assert {(row.percent, row.unit, row.hidden) for row in rows.values()} == {(25, "page", True)}
    assert {row["entry"] for row in readings(as_bob)} == rows.keys()
    assert counter_differences() == (0, [])


def test_spoilers_ok_opens_all_posts_until_false(as_bob, alice, club, entry, mark):
    thread = Thread.create_thread(club=club, by=alice, title="T", body="She marries", entry=entry)
    post = f"/api/v1/clubs/{club.pk}/posts/{thread.posts.get().pk}/"
    assert as_bob.get(post).json()["body"] is None
    cursor = read_all(as_bob)[1]
    assert mark(as_bob, entry, spoilers_ok=True) == {
        "percent": None,
        "hidden": False,
        "stopped": False,
        "finished_on": None,
        "spoilers_ok": True,
        "updated_at": None,
    }
    assert as_bob.get(post).json()["body"] == "She marries"
    assert ("post", thread.posts.get().pk, False) in names(as_bob.get(CHANGES, {"since": cursor}).json()["results"])
    assert mark(as_bob, entry, percent=5)["spoilers_ok"] is True
    assert as_bob.get(post).json()["locked"] is False
    mark(as_bob, entry, percent=5, spoilers_ok=False)
    assert as_bob.get(post).json()["locked"] is True


def test_spoilers_ok_without_progress_still_guards_own_posts(as_bob, alice, club, entry, mark):
    thread = Thread.create_thread(club=club, by=alice, title="T", body="B", entry=entry, spoiler_percent=0)
    mark(as_bob, entry, spoilers_ok=True)
    posts = f"/api/v1/clubs/{club.pk}/threads/{thread.pk}/posts/"
    assert as_bob.post(posts, {"body": "Everybody dies"}).json()["spoiler_percent"] == 100


@pytest.mark.parametrize("how", ["own", "other club"])
def test_finished_reading_opens_all_guards_of_the_book(as_bob, alice, bob, club, entry, mark, how):
    thread = Thread.create_thread(club=club, by=alice, title="T", body="She marries", entry=entry)
    pk = Post.objects.get(thread=thread).pk
    post = f"/api/v1/clubs/{club.pk}/posts/{pk}/"
    cursor = read_all(as_bob)[1]
    if how == "own":
        body = {"book": entry.book_id, "finished_on": "2010-01-01"}
        reading = as_bob.post("/api/v1/users/me/readings/", body)
    else:
        other = Club.create_club(by=bob, name="Other")
        mark(as_bob, Entry.add_entry(club=other, book=entry.book, by=bob), percent=100)
    assert as_bob.get(post).json()["body"] == "She marries"
    found, cursor = read_all(as_bob, since=cursor)
    assert ("post", pk, False) in names(found)
    if how == "own":
        as_bob.delete(reading["Location"])
        assert as_bob.get(post).json()["body"] is None
        assert ("post", pk, False) in names(read_all(as_bob, since=cursor)[0])


def test_reading_survives_its_entry(as_bob, alice, entry, mark, readings):
    mark(as_bob, entry, percent=100, finished_on="2020-01-01")
    entry.delete_entry(by=alice)
    [reading] = readings(as_bob)
    assert (reading["entry"], reading["finished_on"]) == (None, "2020-01-01")


def test_corrected_day_survives_the_same_progress(as_bob, entry, mark, readings):
    mark(as_bob, entry, percent=100)
    address = f"/api/v1/users/me/readings/{readings(as_bob)[0]['id']}/"
    as_bob.patch(address, {"started_on": "2019-12-01", "finished_on": "2020-01-01"})
    mark(as_bob, entry, percent=100)
    assert as_bob.get(address).json()["finished_on"] == "2020-01-01"


def test_hidden_progress_is_in_no_figure(as_bob, entry, mark):
    mark(as_bob, entry, percent=100, finished_on="2020-01-01", hidden=True)
    assert as_bob.get(STATS).json()["books_finished_by_year"] == []
    assert as_bob.get("/api/v1/users/me/year/2020/").json()["books_finished"] == 0
    assert Reading.objects.count() == 1
