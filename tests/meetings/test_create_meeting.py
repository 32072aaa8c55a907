"""Creating meetings: validation, and what members and others see."""

import datetime

import pytest
from django.utils import timezone

from catalog.models import Book
from clubs.models import Club, Entry
from meetings.models import Meeting
from tests.clubs.helpers import bad_fields, bad_parameters, bring_in
from tests.meetings.helpers import MEMBER_FIELDS, counts, ok, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry(club, alice):
    book = Book.create_book(by=None, title="Emma", authors=["Jane Austen"])
    return Entry.add_entry(club=club, book=book, by=alice)


def body(**more):
    return {"title": "Tea", "starts_at": "2027-06-01T18:30:00+01:00", **more}


def test_created_meeting_is_shown_to_members(club, entry, as_moe, as_bob):
    sent = body(
        timezone="America/Sao_Paulo",
        duration_minutes=90,
        place="Library",
        url="https://meet.example.org/tea?x=1",
        entry=entry.pk,
        agenda="Chapters 1 to 10",
        capacity=12,
        notes="Bring cake",
    )
    made = ok(as_moe.post(url(club), sent), 201)
    expected = sent | {
        "id": made["id"],
        "starts_at": "2027-06-01T17:30:00Z",
        "status": "scheduled",
        "counts": counts(),
        "my_rsvp": None,
        "repeats": None,
        "series": None,
        "attended_count": None,
    }
    assert made == expected
    assert ok(as_bob.get(url(club, f"{made['id']}/"))) == expected
    assert ok(as_bob.get(url(club)))["results"] == [expected]


def test_omitted_fields_have_defaults(club, as_moe):
    made = ok(as_moe.post(url(club), body()), 201)
    defaults = {name: made[name] for name in ("timezone", "duration_minutes", "place", "url", "capacity", "entry")}
    assert defaults == {
        "timezone": "Europe/London",
        "duration_minutes": 60,
        "place": "",
        "url": "",
        "capacity": None,
        "entry": None,
    }


def test_non_members_see_public_fields_only(club, make_meeting, make_user, client_of, as_charlie, anonymous, entry):
    meeting = make_meeting(place="Library", agenda="x", entry_id=entry.pk, capacity=3)
    asking, banned = make_user("asking"), make_user("banned")
    bring_in(club, asking, status="pending")
    bring_in(club, banned, status="banned")
    for client in (anonymous, as_charlie, client_of(asking), client_of(banned)):
        shown = ok(client.get(url(meeting)))
        assert ok(client.get(url(club)))["results"] == [shown]
        assert {name for name, value in shown.items() if value is not None} == {"id", "title", "starts_at", "status"}
        assert set(MEMBER_FIELDS) < set(shown)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"starts_at": "2027-06-01T18:30:00"}, "no_offset"),
        ({"starts_at": "2027-06-01"}, "invalid"),
        ({"starts_at": "tomorrow"}, "invalid"),
        ({"starts_at": 1800000000}, "invalid"),
        ({"starts_at": None}, "null"),
        ({"starts_at": "2027-02-30T18:30:00Z"}, "invalid"),
        ({"starts_at": "1899-12-31T23:59:59Z"}, "min_value"),
        ({"starts_at": "2101-01-01T00:00:00Z"}, "max_value"),
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, "overflow"),
        ({"starts_at": "9999-12-31T23:59:59-14:00"}, "overflow"),
        ({"timezone": "Mars/Olympus"}, "invalid"),
        ({"timezone": ""}, "blank"),
        ({"duration_minutes": 0}, "min_value"),
        ({"duration_minutes": 10_081}, "max_value"),
        ({"capacity": 0}, "min_value"),
        ({"capacity": 10**30}, "max_value"),
        ({"capacity": 1.5}, "invalid"),
        ({"url": "javascript:alert(1)"}, "invalid_url"),
        ({"url": "https://x.example/\r\nATTENDEE:mallory"}, "invalid_url"),
        ({"url": "https://[x"}, "invalid_url"),
        ({"url": "https://x.example/" + "a" * 500}, "max_length"),
        ({"place": "a" * 301}, "max_length"),
        ({"title": "\u200b"}, "invisible"),
        ({"title": "a\x00"}, "null_characters_not_allowed"),
        ({"entry": 0}, "min_value"),
        ({"entry": 10**18}, "does_not_exist"),
        ({"status": "held"}, "invalid_choice"),
    ],
)
def test_invalid_field_is_rejected(club, as_moe, sent, code):
    assert bad_fields(as_moe.post(url(club), body(**sent))) == {next(iter(sent)): code}
    assert not Meeting.objects.exists()


def test_entry_of_another_club_is_rejected(club, make_club, alice, as_moe):
    other = make_club("Other", alone=True)
    book = Book.create_book(by=None, title="Persuasion", authors=["Jane Austen"])
    foreign = Entry.add_entry(club=other, book=book, by=alice)
    assert bad_fields(as_moe.post(url(club), body(entry=foreign.pk))) == {"entry": "does_not_exist"}


def test_deleted_entry_is_removed_from_meeting(club, make_meeting, entry, alice, as_bob):
    meeting = make_meeting(entry_id=entry.pk)
    entry.delete_entry(by=alice)
    assert ok(as_bob.get(url(meeting)))["entry"] is None


def test_meeting_may_be_in_the_past(club, as_moe):
    assert ok(as_moe.post(url(club), body(starts_at="2001-01-01T10:00:00Z")), 201)["status"] == "scheduled"


def test_start_has_whole_seconds(club, as_moe):
    made = ok(as_moe.post(url(club), body(starts_at="2027-06-01t18:30:00.999999Z")), 201)
    assert made["starts_at"] == "2027-06-01T18:30:00Z"
    assert Meeting.objects.get().starts_at == datetime.datetime(2027, 6, 1, 18, 30, tzinfo=datetime.UTC)
    assert ok(as_moe.post(url(club), body(starts_at="2027-06-01 18:30Z")), 201)["starts_at"] == "2027-06-01T18:30:00Z"


def test_list_is_ordered_and_filtered(club, make_meeting, as_bob, anonymous):
    def titles(client=as_bob, **query):
        return [row["title"] for row in ok(client.get(url(club), query))["results"]]

    make_meeting(title="later", days=20)
    make_meeting(title="sooner", days=2)
    make_meeting(title="long ago", days=-30)
    make_meeting(title="now", days=-0.01)
    make_meeting(title="off", days=3, status="cancelled")
    make_meeting(title="gone", days=4).delete_meeting(by=None)
    in_order = ["long ago", "now", "sooner", "off", "later"]
    for client in (as_bob, anonymous):
        assert titles(client) == in_order
        assert titles(client, ordering="-starts_at") == in_order[::-1]
        assert titles(client, upcoming="true") == titles(client, past="false") == in_order[2:]
        assert titles(client, upcoming="false") == titles(client, past="true") == in_order[:2]
        assert titles(client, upcoming="true", status="scheduled") == ["sooner", "later"]
        assert titles(client, status="cancelled") == ["off"]
    bad = {"upcoming": "maybe", "past": "1", "status": "held", "entry": "1", "scope": "this"}
    for name, value in bad.items():
        assert bad_parameters(as_bob.get(url(club), {name: value})) == {name}


def test_pagination_is_complete_with_equal_starts(club, make_meeting, as_bob):
    starts_at = timezone.now() + datetime.timedelta(days=1)
    planned = {make_meeting(starts_at=starts_at).pk for _n in range(7)}
    page, seen = ok(as_bob.get(url(club), {"page_size": 3})), []
    while True:
        seen += [row["id"] for row in page["results"]]
        if page["next"] is None:
            break
        page = ok(as_bob.get(page["next"]))
    assert len(seen) == 7
    assert set(seen) == planned


# The session with its user, the club with the caller's rank, the meetings, their series, the caller's RSVPs.
LIST_QUERIES = 5


@pytest.mark.parametrize("many", [3, 300])
def test_list_query_count_is_constant(club, alice, as_bob, bob, many, django_assert_num_queries):
    starts_at = timezone.now()
    repeats = {"every": "weekly", "count": min(many, 50)}
    for _series in range(many // repeats["count"]):
        Meeting.create_meeting(club=club, by=alice, title="Tea", starts_at=starts_at, repeats=repeats)
    assert Meeting.objects.count() == many
    with django_assert_num_queries(LIST_QUERIES):
        page = ok(as_bob.get(url(club), {"page_size": 100}))
    assert len(page["results"]) == min(many, 100)


def test_club_deletion_deletes_meetings(club, make_meeting, as_alice, as_bob):
    meeting = make_meeting(repeats={"every": "weekly", "count": 3})
    ok(as_bob.put(url(meeting, "rsvp/"), {"answer": "yes"}))
    assert as_alice.delete(f"/api/v1/clubs/{club.pk}/").status_code == 204
    assert not Meeting.objects.exists()
    assert not Club.objects.filter(pk=club.pk).exists()
